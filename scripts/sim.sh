# Sourced by ./dev: the long run of the simulator. A failing seed is printed with the command that shows it again.

sim_run() { # [--seeds N] [--seed S] [--minutes M] [--faults A,B]
  local seeds="" first="" minutes="" faults=""
  while (($#)); do
    case $1 in
      --seeds) seeds=${2:?--seeds wants a number} ;;
      --seed) first=${2:?--seed wants a number} ;;
      --minutes) minutes=${2:?--minutes wants a number} ;;
      --faults) faults=${2:?--faults wants names, with commas between} ;;
      *)
        echo "dev sim: there is no option '$1'" >&2
        return 2
        ;;
    esac
    shift 2
  done
  local number
  for number in "$seeds" "$first" "$minutes"; do
    [[ $number =~ ^[0-9]*$ ]] && continue
    echo "dev sim: '$number' is no number; --seeds, --seed and --minutes want whole ones" >&2
    return 2
  done
  if [[ -z $seeds ]]; then
    if [[ -n $first ]]; then seeds=1; else seeds=10000; fi
  fi
  export HOLDFAST_SIM_SEEDS=$seeds HOLDFAST_SIM_SEED=${first:-1} HOLDFAST_SIM_PROCESSES
  HOLDFAST_SIM_PROCESSES=$(nproc)
  [[ -z $minutes ]] || export HOLDFAST_SIM_MINUTES=$minutes
  [[ -z $faults ]] || export HOLDFAST_SIM_FAULTS=$faults
  local binary
  for binary in build/bin/sim_test build/tests/sim_test; do
    [[ ! -x $binary ]] || exec "$binary" "Cluster: the long run"
  done
  echo "dev sim: the build made no sim_test" >&2
  return 1
}
