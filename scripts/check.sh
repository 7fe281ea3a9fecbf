# The checks that need no running program. Sourced by ./dev, which has built what clang-tidy and the tree's test need.

# What differs from the main branch, or on it from the commit before, committed or not.
changed_files() {
  local base
  base=$(git merge-base HEAD origin/main 2>/dev/null || true)
  if [[ -z $base || $base == "$(git rev-parse HEAD)" ]]; then
    base=$(git rev-parse -q --verify HEAD~1 || git hash-object -t tree /dev/null)
  fi
  { git diff --name-only --diff-filter=d "$base" && git ls-files --others --exclude-standard; } | sort -u
}

check_format() { # file…
  echo "check: clang-format on $# files"
  clang-format-19 --dry-run -Werror "$@"
}

# One file takes up to a minute: as many at once as there are cores.
check_tidy() { # file…
  echo "check: clang-tidy on $# files"
  (($#)) || return 0
  printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" clang-tidy-19 -p build --quiet --warnings-as-errors='*' \
    2> >(grep -v ' warnings\? generated\.$' >&2)
}

check_includes() {
  echo "check: include directions"
  HOLDFAST_SOURCE=$PWD build/bin/tree_test
}

check_all() { # [file…]
  local sources=() changed=() failed=()
  if (($#)); then
    sources=("$@")
    mapfile -t changed < <(printf '%s\n' "$@" | grep '\.cc$' || true)
  else
    mapfile -t sources < <(git ls-files --cached --others --exclude-standard -- '*.cc' '*.h')
    mapfile -t changed < <(changed_files | grep '\.cc$' || true)
  fi
  check_includes || failed+=("include directions")
  check_format "${sources[@]}" || failed+=("clang-format")
  check_tidy "${changed[@]}" || failed+=("clang-tidy")
  ((${#failed[@]} == 0)) || { echo "check: failed: ${failed[*]}" >&2; exit 1; }
  echo "check: all well"
}
