# ./dev bench growth: what a session and a message cost at 1,000 to 16,000 sessions, with one worker and two, and over three
# nodes. Sourced by ./dev after bench_cluster.sh.

# Bytes that are resident in these processes.
bench_memory() { # pid…
  local pid total=0 pages
  for pid in "$@"; do
    read -r _ pages _ <"/proc/$pid/statm"
    total=$((total + pages * 4096))
  done
  echo "$total"
}

# One row: so many sessions idle, with 2,000 messages a second to some of them, then as many that come at once. The servers
# are fresh.
bench_growth_row() { # what sessions servers key pids
  local what=$1 sessions=$2 servers=$3 key=$4 pids=$5 at=$bench_folder/load alone= held= messaging before after load idle
  load=(--server "$servers" --operator-key "$key" --sessions "$sessions")
  build/bin/holdfast-load idle --seconds 5 --rate 2000 "${load[@]}" --json "$at.idle" >"$at.idle.log" 2>&1 &
  idle=$!
  # shellcheck disable=SC2086
  while kill -0 "$idle" 2>/dev/null; do
    [[ -z $alone ]] && grep -q '^opening' "$at.idle.log" && alone=$(bench_memory $pids)
    [[ -z $held ]] && grep -q '^messages to' "$at.idle.log" && held=$(bench_memory $pids) messaging=$(bench_cpu $pids)
    sleep 0.05
  done
  [[ -n $alone && -n $held ]] || { echo "dev bench growth: holdfast-load idle did not say how far it is" >&2 && return 1; }
  wait "$idle" || { tail -n 12 "$at.idle.log" >&2 && return 1; }
  # shellcheck disable=SC2086
  before=$(bench_cpu $pids)
  build/bin/holdfast-load storm --at-once "${load[@]}" --json "$at.storm" >"$at.storm.log" 2>&1 ||
    { tail -n 12 "$at.storm.log" >&2 && return 1; }
  # shellcheck disable=SC2086
  after=$(bench_cpu $pids)
  awk -v what="$what" -v sessions="$sessions" -v back="$(bench_value "$at.storm" all_back_s)" -v resumes=$((after - before)) \
    -v bytes=$(((held - alone) / sessions)) -v messages="$(bench_value "$at.idle" messages)" \
    -v ticks=$((before - messaging)) -v p50="$(bench_value "$at.idle" message_delivery_ms.p50)" \
    -v p99="$(bench_value "$at.idle" message_delivery_ms.p99)" '
    BEGIN { printf "  %-22s %8d %9d B %9.0f µs %8.1f / %.1f ms %10.2f s %9.0f µs\n",
      what, sessions, bytes, ticks * 10000 / messages, p50, p99, back, resumes * 10000 / sessions }'
}

cmd_bench_growth() {
  if (($#)); then
    echo "dev bench growth: there is no option '$1'" >&2
    return 2
  fi
  packages_install
  build release programs
  local workers sessions base node
  ulimit -n "$(ulimit -Hn)"
  bench_folder=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-bench.XXXXXX")
  trap 'kill -TERM "${bench_single:-}" 2>/dev/null || true; cluster_stop "$bench_folder/three"; rm -rf "$bench_folder"' EXIT
  printf '  %-22s %8s %11s %12s %18s %12s %12s\n' "" sessions "an idle one" "a message" "delivered" "all back" "a resume"
  for workers in 1 2; do
    for sessions in 1000 4000 8000 16000; do
      base=$(cluster_free_base 3)
      node=$bench_folder/$workers-$sessions
      bench_start_single "$node" "$base" "$workers"
      bench_growth_row "one node, $workers worker(s)" "$sessions" "127.0.0.1:$base" "$node/operator.key" "$bench_single"
      bench_end_single
    done
  done
  for sessions in 1000 4000 8000 16000; do
    base=$(cluster_free_base 3)
    mkdir "$bench_folder/three"
    bench_start_three "$bench_folder/three" "$base"
    bench_growth_row "three nodes" "$sessions" "$bench_servers" "$bench_folder/three/n1/operator.key" "$bench_pids"
    cluster_stop "$bench_folder/three"
    rm -rf "$bench_folder/three"
  done
}
