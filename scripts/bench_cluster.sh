# ./dev bench cluster: three nodes with three copies beside one node alone, on the same cores and disk. Sourced by ./dev
# after cluster.sh.

# Hundredths of a second of processor time that these processes have used.
bench_cpu() { # pid…
  local pid total=0 fields
  for pid in "$@"; do
    read -r -a fields < <(sed 's/.*) //' "/proc/$pid/stat")
    total=$((total + fields[11] + fields[12]))
  done
  echo "$total"
}

bench_value() { # file key: a number of a JSON object that stands alone, or "key.inner"
  python3 -c 'import json,sys
v=json.load(open(sys.argv[1]))
for key in sys.argv[2].split("."): v=v[key]
print(v)' "$1" "$2"
}

# One load, and what the servers spent on it: acknowledged/s, p50, p99, µs for a delivered message.
bench_load() { # json servers key "pids" argument…
  local json=$1 servers=$2 key=$3 pids=$4 before after
  shift 4
  # shellcheck disable=SC2086
  before=$(bench_cpu $pids)
  build/bin/holdfast-load messages --server "$servers" --operator-key "$key" --tls --json "$json" "$@" >"$json.log" 2>&1 ||
    { tail -n 12 "$json.log" >&2 && return 1; }
  # shellcheck disable=SC2086
  after=$(bench_cpu $pids)
  awk -v rate="$(bench_value "$json" acked_per_s)" -v p50="$(bench_value "$json" ack_ms.p50)" \
    -v p99="$(bench_value "$json" ack_ms.p99)" -v messages="$(bench_value "$json" delivered)" \
    -v ticks=$((after - before)) 'BEGIN { printf "%.0f %.2f %.2f %.1f", rate, p50, p99, ticks * 10000 / messages }'
}

# What one synced write of the disk takes meanwhile: 1 KiB appended and synced, fifty times a second, until it is ended;
# then p50 and p99 in ms.
bench_syncs() { # file result
  exec python3 - "$1" "$2" <<'END'
import os, signal, sys, time
ended = []
signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
took = []
while not ended:
    began = time.monotonic()
    os.write(file, b"x" * 1024)
    os.fdatasync(file)
    took.append((time.monotonic() - began) * 1e3)
    time.sleep(0.02)
took.sort()
at = lambda share: took[min(len(took) - 1, int(len(took) * share))]
open(sys.argv[2], "w").write(f"{at(0.5):.2f} {at(0.99):.2f}\n")
END
}

bench_row() { # what single cluster unit
  awk -v what="$1" -v one="$2" -v three="$3" -v unit="$4" \
    'BEGIN { printf "  %-46s %10s %10s   %6.2f   %s\n", what, one, three, (one > 0 ? three / one : 0), unit }'
}

# A node alone, as bench_single; its data goes to the folder.
bench_start_single() { # folder port workers
  build/bin/holdfastd --data "$1" --listen "127.0.0.1:$2" --http 127.0.0.1:0 --admin 127.0.0.1:0 --workers "$3" \
    >"$1.log" 2>&1 &
  bench_single=$!
  cluster_wait "the single node" "$1.log" 30 cluster_port_taken "$2"
}

bench_end_single() {
  kill -TERM "$bench_single" && wait "$bench_single" || true
}

# Three nodes with three copies of everything: bench_pids, and bench_servers for clients.
bench_start_three() { # folder base
  cluster_start "$1" "$2" 3
  cluster_wait "three copies of everything" "$1/n1.log" 60 bench_is_whole $(($2 + 90))
  bench_pids="$(cluster_pid "$1" n1) $(cluster_pid "$1" n2) $(cluster_pid "$1" n3)"
  bench_servers="127.0.0.1:$2,127.0.0.1:$(($2 + 1)),127.0.0.1:$(($2 + 2))"
}

cmd_bench_cluster() { # [--seconds S]
  local seconds=10 folder base one three one_slow three_slow syncs
  while (($#)); do
    case $1 in
      --seconds) seconds=${2:?--seconds wants a number} ;;
      *)
        echo "dev bench cluster: there is no option '$1'" >&2
        return 2
        ;;
    esac
    shift 2
  done
  packages_install
  build release programs
  base=$(cluster_free_base 3)
  folder=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-bench.XXXXXX")
  bench_folder=$folder
  trap 'kill -TERM "${bench_single:-}" "${bench_probe:-}" 2>/dev/null || true; cluster_stop "$bench_folder"; rm -rf "$bench_folder"' EXIT

  bench_start_single "$folder/single" $((base + 9)) 1
  one=$(bench_load "$folder/one" "127.0.0.1:$((base + 9))" "$folder/single/operator.key" "$bench_single" \
    --pairs 200 --seconds "$seconds")
  one_slow=$(bench_load "$folder/one_slow" "127.0.0.1:$((base + 9))" "$folder/single/operator.key" "$bench_single" \
    --pairs 200 --seconds "$seconds" --rate 1000)
  bench_end_single

  bench_start_three "$folder" "$base"
  three=$(bench_load "$folder/three" "$bench_servers" "$folder/n1/operator.key" "$bench_pids" --pairs 200 --seconds "$seconds")
  bench_syncs "$folder/syncs" "$folder/syncs.result" &
  bench_probe=$!
  three_slow=$(bench_load "$folder/three_slow" "$bench_servers" "$folder/n1/operator.key" "$bench_pids" --pairs 200 \
    --seconds "$seconds" --rate 1000)
  kill -TERM "$bench_probe" && wait "$bench_probe" || true
  read -r -a syncs <"$folder/syncs.result"

  read -r -a one <<<"$one" && read -r -a three <<<"$three"
  read -r -a one_slow <<<"$one_slow" && read -r -a three_slow <<<"$three_slow"
  printf '\n  %-46s %10s %10s   %6s\n' "" "one node" "3 copies" ratio
  bench_row "acknowledged messages a second, at most" "${one[0]}" "${three[0]}" "/s   (goal: 0.40)"
  bench_row "processor time of the servers for a message" "${one[3]}" "${three[3]}" "µs"
  bench_row "acknowledged at 1,000 a second, p50" "${one_slow[1]}" "${three_slow[1]}" "ms"
  bench_row "acknowledged at 1,000 a second, p99" "${one_slow[2]}" "${three_slow[2]}" "ms"
  awk -v p50="${syncs[0]}" -v p99="${syncs[1]}" -v ack="${three_slow[2]}" 'BEGIN {
    printf "  one synced write of 1 KiB meanwhile, p50 / p99: %.2f / %.2f ms; the p99 above is %.1f syncs (p50), %.1f (p99)   (goal: 5)\n",
      p50, p99, ack / p50, ack / p99 }'
  echo "Outages at kills, cuts and drains: ./dev bench outages"
}

bench_is_whole() { # admin port
  build/bin/holdfastctl --admin "127.0.0.1:$1" status --json >"$bench_folder/status.json" &&
    python3 -c 'import json,sys
parts=json.load(open(sys.argv[1]))["partitions"]
sys.exit(0 if parts and all(len(p["in_sync"]) == 3 for p in parts) else 1)' "$bench_folder/status.json"
}
