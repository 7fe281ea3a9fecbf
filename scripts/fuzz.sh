# Runs the fuzz targets. Sourced by ./dev. What a run finds joins build-fuzz/fuzz/<name>-corpus, and
# the next run starts there.

fuzz_one() { # name seconds
  local name=$1 seconds=$2 work=build-fuzz/fuzz
  local corpus=$work/$name-corpus log=$work/$name.log
  local seeds=tests/fuzz/corpus/$name
  [[ -d $seeds ]] || seeds=""
  mkdir -p "$corpus"
  echo "fuzz: $name, $seconds s (log: $log)"
  if "build-fuzz/bin/${name}_fuzz" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="$work/$name-" "$corpus" ${seeds:+"$seeds"} >"$log" 2>&1; then
    grep '^Done' "$log"
    return
  fi
  tail -n 60 "$log" >&2
  echo "fuzz: $name failed; again with: build-fuzz/bin/${name}_fuzz <the file named above>" >&2
  return 1
}

fuzz_all() { # [seconds] [name…]
  local seconds=60 name names=() failed=()
  if [[ ${1:-} =~ ^[0-9]+$ ]]; then
    seconds=$1
    shift
  fi
  names=("$@")
  if ((${#names[@]} == 0)); then
    for name in tests/fuzz/*_fuzz.cc; do names+=("$(basename "${name%_fuzz.cc}")"); done
  fi
  for name in "${names[@]}"; do fuzz_one "$name" "$seconds" || failed+=("$name"); done
  ((${#failed[@]} == 0)) || { echo "fuzz: failed: ${failed[*]}" >&2; exit 1; }
}
