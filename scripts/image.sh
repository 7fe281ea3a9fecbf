# shellcheck shell=bash disable=SC2034  # what image_finish finds out is for those who source this
# The image of docker/Dockerfile without a container engine: its own steps, run in trees that debootstrap begins. Sourced by
# scripts/image_test.sh. The Dockerfile is read, never repeated; what is not understood here ends it.
#
# A stage's tree is kept in WORK/NAME and built anew when the stage or one below it changes.

image_file=docker/Dockerfile
image_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

image_fail() {
  echo "image: $*" >&2
  exit 1
}

# Continued lines joined, comments gone.
image_lines() { sed -e '/^[[:space:]]*#/d' -e ':more' -e '/\\$/{N;s/\\\n//;bmore}' -e '/^[[:space:]]*$/d' "$image_file"; }

image_parent() { # stage: what it is FROM
  image_lines | awk -v stage="$1" '$1 == "FROM" && $3 == "AS" && $4 == stage { print $2 }'
}

image_instructions() { # stage: all after its FROM
  image_lines | awk -v stage="$1" '$1 == "FROM" { inside = ($4 == stage); next } inside'
}

# The programs that a stage takes from the build stage, by name.
image_programs() { # stage
  image_instructions "$1" | sed -n 's/^COPY --from=build \(.*\) [^ ]*$/\1/p' | tr ' ' '\n' | sed 's,^/src/build/bin/,,'
}

# The build stage is not run: BIN has what it makes. What it would do has to be what `./dev build` does here.
image_check_build_stage() { # stage that takes its programs
  local steps program
  steps=$(image_instructions build | grep '^RUN')
  grep -q 'source scripts/packages.sh && packages_install' <<<"$steps" || image_fail "the build stage has packages of its own"
  for program in $(image_programs "$1"); do
    grep -q "^RUN ./dev build [^&]*\b$program\b" <<<"$steps" || image_fail "the build stage does not build $program"
  done
}

# The words of the array that an exec form is, each ended by a zero byte.
image_words() { # json
  python3 -c 'import json,sys; sys.stdout.write("".join(word + "\0" for word in json.loads(sys.argv[1])))' "$1"
}

image_debootstrap() { # tree
  local log=$1.log
  echo "image: debootstrap (log: $log)"
  if ! debootstrap --variant=minbase bookworm "$1" >"$log" 2>&1; then
    ! grep -q 'Failed getting release file\|Unable to execute' "$log" || image_skip "no mirror of Debian can be reached"
    tail -n 20 "$log" >&2
    image_fail "debootstrap failed"
  fi
  # As in Debian's own image: security updates, and no service starts because a package brings one.
  printf 'deb http://deb.debian.org/%s main\n' 'debian bookworm' 'debian bookworm-updates' \
    'debian-security bookworm-security' >"$1/etc/apt/sources.list"
  printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
  chmod +x "$1/usr/sbin/policy-rc.d"
}

image_run_step() { # tree log command
  echo "image: RUN ${3:0:100}"
  echo "RUN $3" >>"$2"
  mountpoint -q "$1/proc" || mount -t proc proc "$1/proc"
  if ! chroot "$1" /usr/bin/env -i PATH="$image_path" HOME=/root \
    ${http_proxy:+http_proxy="$http_proxy"} /bin/sh -c "$3" </dev/null >>"$2" 2>&1; then
    tail -n 20 "$2" >&2
    image_fail "this step failed: RUN $3"
  fi
}

# What a stage's tree has to be built from: as long as this is the same, so is the tree.
image_stamp() { # stage
  local parent
  parent=$(image_parent "$1")
  [[ $parent == debian:12* ]] || image_stamp "$parent"
  echo "FROM $parent"
  image_instructions "$1" | grep '^RUN'
}

image_build() { # work stage: makes WORK/STAGE, unless it is there already
  local tree=$1/$2 parent instruction rest
  parent=$(image_parent "$2")
  [[ -n $parent ]] || image_fail "$image_file has no stage '$2'"
  [[ ! -f $tree.stamp || $(image_stamp "$2") != "$(cat "$tree.stamp")" ]] || return 0
  rm -rf "$tree" "$tree.stamp" "$tree.log"
  if [[ $parent == debian:12* ]]; then
    image_debootstrap "$tree"
  else
    image_build "$1" "$parent"
    cp -a "$1/$parent" "$tree"
  fi
  while read -r instruction rest; do
    [[ $instruction != RUN ]] || image_run_step "$tree" "$tree.log" "$rest"
  done < <(image_instructions "$2")
  ! mountpoint -q "$tree/proc" || umount "$tree/proc"
  image_stamp "$2" >"$tree.stamp"
}

image_copy_step() { # tree bin arguments-of-COPY
  local words source target
  read -r -a words <<<"$3"
  target=${words[-1]}
  [[ ${words[0]} == --from=build && $target == */ ]] || image_fail "don't know how to COPY $3"
  for source in "${words[@]:1:${#words[@]}-2}"; do
    [[ $source == /src/build/bin/* ]] || image_fail "not a program of the build: $source"
    strip -o "$1$target$(basename "$source")" "$2/$(basename "$source")"
    chmod 755 "$1$target$(basename "$source")"
  done
}

# Copies the programs into a stage's tree and reads how an engine would run it, into image_user, image_workdir,
# image_volume, image_stop_signal, image_entrypoint, image_health and image_health_start_s.
image_finish() { # work stage bin
  local instruction rest
  image_user=root image_workdir=/ image_volume="" image_stop_signal=SIGTERM image_entrypoint=() image_health=()
  while read -r instruction rest; do
    case $instruction in
      RUN | EXPOSE) ;;
      COPY) image_copy_step "$1/$2" "$3" "$rest" ;;
      USER) image_user=$rest ;;
      WORKDIR) image_workdir=$rest ;;
      VOLUME) image_volume=$rest ;;
      STOPSIGNAL) image_stop_signal=$rest ;;
      ENTRYPOINT) mapfile -d '' -t image_entrypoint < <(image_words "$rest") ;;
      HEALTHCHECK)
        image_health_start_s=$(sed -n 's/.*--start-period=\([0-9]*\)s .*/\1/p' <<<"$rest")
        mapfile -d '' -t image_health < <(image_words "${rest#*CMD }")
        ;;
      *) image_fail "don't know what $instruction does" ;;
    esac
  done < <(image_instructions "$2")
}
