# A cluster on this machine's loopback: three members of etcd and some nodes, each a process of its own. Sourced by ./dev.
#
# Everything of a cluster is in one folder: NAME.sh starts a process (and may be called by hand after a kill -9), NAME.pid
# says which it is, NAME.log what it had to say, and `nodes` lists the nodes with their addresses. Whoever started a cluster
# stops it, by those pids. Ports, from a base B: clients B+i, nodes B+10+i, etcd B+20+i and B+30+i, users' HTTP B+80+i,
# operators B+90+i.

cluster_bin=$PWD/build/bin
cluster_etcd_members=(e0 e1 e2)

cluster_ports() { # base nodes
  local i offset
  for ((i = 0; i < $2; i++)); do for offset in 0 10 80 90; do echo $(($1 + offset + i)); done; done
  for i in 0 1 2; do for offset in 20 30; do echo $(($1 + offset + i)); done; done
}

cluster_port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Prints the ports that somebody listens at.
cluster_taken() { # base nodes
  local port
  for port in $(cluster_ports "$1" "$2"); do ! cluster_port_taken "$port" || echo "$port"; done
}

# A base of which all ports are free now.
cluster_free_base() { # nodes
  local base tries
  for tries in {1..50}; do
    base=$((10000 + RANDOM % 200 * 100))
    [[ -n $(cluster_taken "$base" "$1") ]] || { echo "$base"; return; }
  done
  echo "dev: found no free ports on 127.0.0.1" >&2
  return 1
}

# A script that starts one process of the cluster, notes its pid and becomes it.
cluster_script() { # folder name command…
  local folder=$1 name=$2
  shift 2
  {
    echo '#!/bin/bash'
    echo "echo \$\$ > '$folder/$name.pid'"
    printf 'exec'
    printf ' %q' "$@"
    echo " >> '$folder/$name.log' 2>&1"
  } >"$folder/$name.sh"
  chmod +x "$folder/$name.sh"
}

# Its own members, with the waiting times that docs/operations.md advises.
cluster_write_etcd() { # folder base
  local folder=$1 base=$2 i members=()
  for i in 0 1 2; do members+=("e$i=http://127.0.0.1:$((base + 30 + i))"); done
  for i in 0 1 2; do
    cluster_script "$folder" "e$i" etcd --name "e$i" --data-dir "$folder/e$i" \
      --heartbeat-interval=50 --election-timeout=500 --auto-compaction-retention=1h \
      --listen-client-urls "http://127.0.0.1:$((base + 20 + i))" \
      --advertise-client-urls "http://127.0.0.1:$((base + 20 + i))" \
      --listen-peer-urls "http://127.0.0.1:$((base + 30 + i))" \
      --initial-advertise-peer-urls "http://127.0.0.1:$((base + 30 + i))" \
      --initial-cluster-token "holdfast" --initial-cluster "$(IFS=, && echo "${members[*]}")" \
      --logger=zap --log-level=warn
  done
}

cluster_store() { # base
  echo "127.0.0.1:$(($1 + 20)),127.0.0.1:$(($1 + 21)),127.0.0.1:$(($1 + 22))"
}

cluster_write_node() { # folder base i
  local folder=$1 base=$2 i=$3 name=n$(($3 + 1))
  [[ -f $folder/certs/$name.pem ]] ||
    "$cluster_bin/holdfastctl" certs node -d "$folder/certs" -n "$name" --host 127.0.0.1 --host localhost >/dev/null
  cat >"$folder/$name.toml" <<END
data = "$folder/$name"
listen = "127.0.0.1:$((base + i))"
http = "127.0.0.1:$((base + 80 + i))"
admin = "127.0.0.1:$((base + 90 + i))"
workers = 1

[clients]
drain_max_s = 4

[storage]
disk_reserve_bytes = 67108864

[cluster]
store = "etcd://$(cluster_store "$base")"
node_name = "$name"
listen = "127.0.0.1:$((base + 10 + i))"
ca = "$folder/certs/ca.pem"
certificate = "$folder/certs/$name.pem"
key = "$folder/certs/$name.key"
END
  cluster_script "$folder" "$name" "$cluster_bin/holdfastd" --config "$folder/$name.toml"
  echo "$name 127.0.0.1:$((base + i)) 127.0.0.1:$((base + 90 + i))" >>"$folder/nodes"
}

cluster_write() { # folder base nodes
  local folder=$1 base=$2 i
  mkdir -p "$folder"
  [[ -f $folder/certs/ca.pem ]] || "$cluster_bin/holdfastctl" certs init -d "$folder/certs" >/dev/null
  cluster_write_etcd "$folder" "$base"
  : >"$folder/nodes"
  for ((i = 0; i < $3; i++)); do cluster_write_node "$folder" "$base" "$i"; done
}

# In a session of its own: Ctrl-C is for us, and we stop it in order.
cluster_launch() { # folder name
  rm -f "$1/$2.pid"
  (setsid "$1/$2.sh" </dev/null >/dev/null 2>&1 &)
}

cluster_pid() { # folder name: of a process that lives
  local pid
  pid=$(cat "$1/$2.pid" 2>/dev/null) || return 1
  [[ -n $pid && -r /proc/$pid/stat ]] || return 1
  [[ $(sed 's/.*) //; s/ .*//' "/proc/$pid/stat" 2>/dev/null) != Z ]] || return 1
  { tr '\0' '\n' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF -- "$1/$2" || return 1
  echo "$pid"
}

cluster_wait() { # what log seconds command…
  local what=$1 log=$2 seconds=$3 begin=$SECONDS
  shift 3
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS - begin >= seconds)); then
      echo "dev: $what did not come up in $seconds s; the end of $log:" >&2
      tail -n 15 "$log" >&2
      return 1
    fi
    sleep 0.1
  done
}

cluster_etcd_answers() { # base
  ETCDCTL_API=3 etcdctl --endpoints "$(cluster_store "$1")" --command-timeout=2s get holdfast-dev
}

cluster_start() { # folder base nodes
  local folder=$1 base=$2 nodes=$3 i name
  cluster_write "$folder" "$base" "$nodes"
  for name in "${cluster_etcd_members[@]}"; do cluster_launch "$folder" "$name"; done
  cluster_wait etcd "$folder/e0.log" 30 cluster_etcd_answers "$base"
  for ((i = 0; i < nodes; i++)); do
    cluster_launch "$folder" "n$((i + 1))"
    # The first one founds the cluster; the others are to find it.
    ((i > 0)) || cluster_wait n1 "$folder/n1.log" 60 cluster_port_taken $((base + 90))
  done
  for ((i = 0; i < nodes; i++)); do
    cluster_wait "n$((i + 1))" "$folder/n$((i + 1)).log" 60 cluster_port_taken $((base + i))
  done
}

# Nodes first: while they say good-bye, the store is still there.
cluster_stop() { # folder
  local folder=$1 name pid left deadline=$((SECONDS + 25)) group
  [[ -d $folder ]] || return 0
  for group in n e; do
    for name in $(cluster_names "$folder" $group); do
      ! pid=$(cluster_pid "$folder" "$name") || kill -TERM "$pid" 2>/dev/null || true
    done
    while true; do
      left=()
      for name in $(cluster_names "$folder" $group); do
        ! pid=$(cluster_pid "$folder" "$name") || left+=("$pid")
      done
      ((${#left[@]})) || break
      ((SECONDS < deadline)) || kill -KILL "${left[@]}" 2>/dev/null || true
      sleep 0.1
    done
  done
}

cluster_names() { # folder first-letter
  local file
  for file in "$1/$2"[0-9].sh; do [[ ! -f $file ]] || basename "$file" .sh; done
}

cluster_say() { # folder base nodes
  local folder=${1#"$PWD"/} base=$2 name clients admin
  echo
  echo "A cluster of $3 nodes is running."
  echo "  chat        build/bin/holdfast-chat --server $(awk '{printf "%s%s", s, $2; s=","}' "$1/nodes") --user alice"
  echo "  see it      build/bin/holdfastctl --admin 127.0.0.1:$((base + 90)) status       (or watch, events --follow)"
  while read -r name clients admin; do
    echo "  $name          clients $clients, operators http://$admin/metrics, kill -9 \$(cat $folder/$name.pid), back: $folder/$name.sh &"
  done <"$1/nodes"
  echo "  change it   build/bin/holdfastctl --operator-key $folder/n1/operator.key drain n2      (undrain n2, move 5 n1, rebalance)"
  echo "  logs, data  $folder"
  echo "Ctrl-C stops it; ./dev cluster goes on with the same data."
}

cmd_cluster() { # [--nodes N]
  local nodes=3 base=7400 folder=$PWD/data/cluster taken
  while (($#)); do
    case $1 in
      --nodes) nodes=${2:-} && shift 2 || shift ;;
      --nodes=*) nodes=${1#*=} && shift ;;
      *) echo "dev: ./dev cluster takes --nodes N, not '$1'" >&2 && exit 2 ;;
    esac
  done
  [[ $nodes =~ ^[1-9]$ ]] || { echo "dev: --nodes wants 1 to 9" >&2 && exit 2; }
  packages_install
  build release programs
  mapfile -t taken < <(cluster_taken "$base" "$nodes")
  if ((${#taken[@]})); then
    echo "dev: somebody listens on 127.0.0.1 already, port ${taken[*]}: another ./dev cluster or ./dev run? Stop that first." >&2
    exit 1
  fi
  trap 'cluster_stop "$PWD/data/cluster"' EXIT
  trap 'echo; echo "stopping …"; exit 0' INT TERM
  cluster_start "$folder" "$base" "$nodes"
  cluster_say "$folder" "$base" "$nodes"
  while true; do sleep 1 & wait $! || true; done
}

cmd_demo() { # arguments of holdfast-demo
  local base nodes=3 folder code=0
  packages_install
  build release programs
  if [[ " $* " == *" --help "* || " $* " == *" -h "* ]]; then exec "$cluster_bin/holdfast-demo" --help; fi
  base=$(cluster_free_base "$nodes")
  folder=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-demo.XXXXXX")
  demo_folder=$folder
  trap 'cluster_stop "$demo_folder"; rm -rf "$demo_folder"' EXIT
  trap 'echo; exit 130' INT TERM
  echo "Starting three nodes and etcd in $folder …"
  cluster_start "$folder" "$base" "$nodes"
  "$cluster_bin/holdfast-demo" --cluster "$folder" "$@" &
  wait $! || code=$?
  exit "$code"
}
