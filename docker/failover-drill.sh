#!/usr/bin/env bash
# Kills a node's container under load, and prints what clients saw and what the cluster did about it.
# Needs: docker compose -f docker/compose.yaml up --detach, and holdfast-load from `./dev build`.
# Usage: docker/failover-drill.sh [node1|node2|node3] [SECONDS]
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
node=${1:-node2}
seconds=${2:-30}
compose=(docker compose -f docker/compose.yaml)

usage() {
  sed -n 's/^# \(Needs\|Usage\)/\1/p' "$0" >&2
  exit 2
}
[[ $node =~ ^node[123]$ && $seconds =~ ^[0-9]+$ && $seconds -ge 3 && -x build/bin/holdfast-load ]] || usage

asked=node1  # who tells about it, while the other is gone
[[ $node != node1 ]] || asked=node2
load=""
killed=""
folder=$(mktemp -d)

# shellcheck disable=SC2317  # called by the trap
clean_up() {
  [[ -z $load ]] || kill "$load" 2>/dev/null || true
  [[ -z $killed ]] || "${compose[@]}" start "$node" || true
  rm -rf "$folder"
}
trap clean_up EXIT

control() { "${compose[@]}" exec -T "$asked" holdfastctl "$@"; }

well() { control status 2>/dev/null | grep 'All is well' >/dev/null; }

wait_until_well() {
  local deadline=$((SECONDS + 90))
  until well; do
    ((SECONDS < deadline)) || { echo "the cluster is not well:" >&2 && control status >&2 && exit 1; }
    sleep 0.5
  done
}

wait_until_well
"${compose[@]}" cp "$asked:/data/operator.key" "$folder/operator.key"
build/bin/holdfast-load messages --server 127.0.0.1:7401,127.0.0.1:7402,127.0.0.1:7403 --tls \
  --operator-key "$folder/operator.key" --pairs 50 --rate 500 --seconds "$seconds" &
load=$!
sleep $((seconds / 3))
kill -0 "$load" 2>/dev/null || { wait "$load" || exit $?; }

echo "killing $node"
begin=$(date --utc '+%F %T')
killed=$node
"${compose[@]}" kill --signal SIGKILL "$node"
code=0
wait "$load" || code=$?
load=""
"${compose[@]}" start "$node"
killed=""
wait_until_well

echo
echo "What the cluster did (all of it: holdfastctl events):"
control events | awk -v begin="$begin" '$1 " " $2 >= begin && $3 ~ /^(dead|promoted|joined)$/'
control status
exit "$code"
