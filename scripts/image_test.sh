#!/usr/bin/env bash
# The image without a container engine: runs docker/Dockerfile's steps in a debootstrap tree, and starts the server from it
# as an engine would: as the image's user, first process of its own namespaces, everything read-only but the volume. The same,
# shorter, with compose.yaml's etcd.
#
# Usage: scripts/image_test.sh BIN WORK    BIN has the built programs; trees are kept in WORK.
# Exit codes: 0 all well; 1 not; 77 skipped, for want of root, namespaces, debootstrap or a mirror of Debian.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
# shellcheck source=scripts/image.sh
source scripts/image.sh

image_skip() {
  echo "image: skipped: $*"
  exit 77
}

# A server that does not stop dies with its namespace; mounts go with ours.
enter_namespaces() { # argument…
  ((EUID == 0)) || image_skip "needs root, for debootstrap and mounts"
  command -v debootstrap >/dev/null || image_skip "debootstrap is not installed (packages.txt)"
  unshare --mount --net --pid --fork --mount-proc true 2>/dev/null || image_skip "may not make namespaces here"
  HOLDFAST_IMAGE_INSIDE=1 exec unshare --mount --propagation private --pid --fork --mount-proc --kill-child "$0" "$@"
}

say() { echo "image: $*"; }

# The container's file system: the tree read-only, /dev of the harmless devices, the volume as the image has it.
mount_root() {
  local device
  mkdir -p "$root" "$volume"
  mount --bind "$tree" "$root"
  mount -o remount,bind,ro "$root"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  mknod -m 666 "$root/dev/null" c 1 3
  mknod -m 666 "$root/dev/zero" c 1 5
  for device in random urandom; do cp -a "/dev/$device" "$root/dev/$device"; done
  ln -s /proc/self/fd "$root/dev/fd"
  mount -o remount,ro "$root/dev"
  # An engine brings its own of these.
  printf '127.0.0.1 localhost\n' >"$work/hosts"
  touch "$tree/etc/hosts"
  mount --bind "$work/hosts" "$root/etc/hosts"
  mount -o remount,bind,ro "$root/etc/hosts"
  cp -a "$tree$image_volume/." "$volume"
  chown --reference="$tree$image_volume" "$volume"
  chmod --reference="$tree$image_volume" "$volume"
  mount --bind "$volume" "$root$image_volume"
}

# What comes before a command so that it runs as the image's user in the image.
set_prefix() {
  local entry
  entry=$(awk -F: -v user="$image_user" '$1 == user' "$tree/etc/passwd")
  [[ -n $entry ]] || image_fail "the image has no user '$image_user'"
  IFS=: read -r _ _ uid gid _ home _ <<<"$entry"
  ((uid != 0)) || image_fail "the image runs as root"
  prefix=(chroot "$root" setpriv "--reuid=$uid" "--regid=$gid" --clear-groups --inh-caps=-all --bounding-set=-all
    --no-new-privs env -i "--chdir=$image_workdir" "PATH=$image_path" "HOME=$home")
}

start_server() { # log
  ! unshare --net "${prefix[@]}" "${image_health[@]}" >/dev/null 2>&1 || image_fail "the health check does not need a server"
  # shellcheck disable=SC2016
  unshare --net bash -c 'ip link set lo up && exec "$@"' -- \
    unshare --pid --fork --kill-child "--mount-proc=$root/proc" "${prefix[@]}" "${image_entrypoint[@]}" >"$1" 2>&1 &
  engine=$!
  server=""
  local deadline=$((SECONDS + image_health_start_s))
  until healthy; do
    kill -0 "$engine" 2>/dev/null || { tail -n 20 "$1" >&2 && image_fail "the server ended at its start"; }
    ((SECONDS < deadline)) || { tail -n 20 "$1" >&2 && image_fail "not healthy within the start period"; }
    sleep 0.1
  done
}

find_server() {
  local child
  child=$(tr -d ' ' <"/proc/$engine/task/$engine/children")
  [[ -n $child && $(cat "/proc/$child/comm") == "${image_entrypoint[0]:0:15}" ]] || return 1  # on its way there
  server=$child
}

# As `docker exec`: in the namespaces of the running server.
inside() { # command…
  [[ -n $server ]] || find_server 2>/dev/null || return 1
  nsenter --target "$server" --mount --net --pid -- "${prefix[@]}" "$@"
}

healthy() { inside "${image_health[@]}" >/dev/null 2>&1; }

stop_server() {
  local begin=$SECONDS code=0
  kill -s "${image_stop_signal#SIG}" "$server"
  wait "$engine" || code=$?
  ((code == 0)) || image_fail "the server ended with exit code $code at $image_stop_signal"
  say "$image_stop_signal: drained and ended with 0 after $((SECONDS - begin)) s"
}

chat() { # user argument…
  local user=$1
  shift
  inside holdfast-chat --server holdfasts://localhost:7400 --tls-ca "$image_volume/tls/cert.pem" --user "$user" \
    --state "$image_volume/chat/$user" --password-file "$image_volume/chat/password" --timeout 30 "$@"
}

check_user() {
  local running
  running=$(awk '/^Uid:/ {print $2 $3 $4 $5}' "/proc/$server/status")
  [[ $running == "$uid$uid$uid$uid" ]] || image_fail "it runs as $running, not as $image_user ($uid)"
  [[ $(awk '/^NSpid:/ {print $NF}' "/proc/$server/status") == 1 ]] || image_fail "the server is not the first process"
  ! inside touch /var/tmp/mark 2>/dev/null || image_fail "the root is not read-only"
  ! touch "$root/mark" 2>/dev/null || image_fail "the root is not read-only for root"
  say "healthy, as $image_user ($uid), on a read-only root"
}

check_programs() {
  local program
  for program in $(image_programs holdfast); do
    inside "$program" --version >/dev/null || image_fail "$program does not run in the image"
  done
}

check_chat() {
  local got
  install -d -o "$uid" -g "$gid" -m 700 "$volume/chat"
  echo "a password for the image" | install -o "$uid" -g "$gid" -m 600 /dev/stdin "$volume/chat/password"
  got=$(chat bob --register </dev/null 2>&1) || image_fail "bob could not register: $got"
  got=$(echo "hello from the image" | chat alice --register --to bob 2>&1) || image_fail "alice could not send: $got"
  got=$(chat bob --json --wait 1 </dev/null 2>&1) || image_fail "bob got nothing: $got"
  [[ $got == *'"body":"hello from the image"'* ]] || image_fail "bob did not get alice's message: $got"
  say "alice and bob talked, over TLS"
}

check_load() {
  nsenter --target "$server" --net -- "$bin/holdfast-load" messages --server 127.0.0.1:7400 --tls \
    --operator-key "$volume/operator.key" --server-pid "$server" --pairs 20 --rate 200 --seconds 3 >"$work/load.log" 2>&1 ||
    { tail -n 20 "$work/load.log" >&2 && image_fail "holdfast-load is not content"; }
  say "600 messages of load: all acknowledged, each delivered once, in order"
}

check_history() {
  local got
  got=$(echo /history | chat bob --json --to alice 2>&1) || image_fail "bob could not come back: $got"
  [[ $got == *'"body":"hello from the image"'* ]] || image_fail "the message is gone after a restart: $got"
  say "after a restart on the same volume the message is still there"
}

check_nothing_elsewhere() { # file older than the first start
  local changed
  changed=$(find "$tree" -xdev -newer "$1" -print)
  [[ -z $changed ]] || image_fail "changed outside of the volume: $changed"
  [[ -n $(find "$volume" -type f -newer "$1" -print -quit) ]] || image_fail "the data is not in the volume"
  [[ -z $(find "$volume" ! -uid "$uid" -print -quit) ]] || image_fail "somebody else wrote into the volume"
  say "everything that was written is in $image_volume"
}

# From here on, tree, root, volume and what image_finish and set_prefix set are this stage's.
make_container() { # stage
  tree=$work/$1 root=$work/$1-root volume=$work/$1-volume
  image_build "$work" "$1"
  image_finish "$work" "$1" "$bin"
  rm -rf --one-file-system "$root" "$volume"
  mount_root
  set_prefix
  touch "$work/begin"
}

test_holdfast() {
  image_check_build_stage holdfast
  make_container holdfast
  start_server "$work/first.log"
  check_user
  check_programs
  check_chat
  check_load
  stop_server
  start_server "$work/second.log"
  check_history
  stop_server
  check_nothing_elsewhere "$work/begin"
}

# compose.yaml's store: alone, it is its own cluster of one.
test_etcd() {
  make_container etcd
  start_server "$work/etcd-server.log"
  check_user
  inside etcdctl put key value >/dev/null || image_fail "etcd does not take a key"
  stop_server
  check_nothing_elsewhere "$work/begin"
}

main() {
  [[ $# == 2 ]] || { sed -n '2,/^set/{/^#/p}' "$0" >&2 && exit 2; }
  [[ -n ${HOLDFAST_IMAGE_INSIDE:-} ]] || enter_namespaces "$(realpath "$1")" "$(realpath -m "$2")"
  bin=$1 work=$2
  mkdir -p "$work"
  test_holdfast
  test_etcd
  say "all well"
}

main "$@"
