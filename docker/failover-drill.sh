#!/usr/bin/env bash
# Kills a node's container under load and prints what clients saw. Needs: docker compose -f docker/compose.yaml up -d,
# and holdfast-load from `./dev build`. Usage: docker/failover-drill.sh [node1|node2|node3] [SECONDS]
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
node=${1:-node2}
seconds=${2:-30}
compose=(docker compose -f docker/compose.yaml)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"${compose[@]}" cp "node1:/data/operator.key" "$folder/operator.key"
"${compose[@]}" cp "node1:/data/tls/cert.pem" "$folder/cert.pem"
build/bin/holdfast-load messages --server 127.0.0.1:7401,127.0.0.1:7402,127.0.0.1:7403 --tls \
  --operator-key "$folder/operator.key" --pairs 50 --rate 500 --seconds "$seconds" --json "$folder/load.json" &
load=$!
sleep $((seconds / 3))
echo "killing $node"
"${compose[@]}" kill --signal SIGKILL "$node"
code=0
wait "$load" || code=$?
"${compose[@]}" start "$node"
"${compose[@]}" exec node1 holdfastctl events || true
exit "$code"
