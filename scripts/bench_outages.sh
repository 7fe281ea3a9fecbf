# ./dev bench outages: what partitions and clients notice of kills, cut cables and drains, by holdfast-chaos. Sourced by
# ./dev. Needs root, for the network namespaces in which cables are cut.

bench_outages_run() { # report argument…
  local report=$1 code=0
  shift
  build/bin/holdfast-chaos run --report "$report" --report-times-only --visitors 0 "$@" || code=$?
  ((code <= 1)) || return "$code"  # with a violation there are figures, too, and it has been said
}

cmd_bench_outages() { # [FOLDER]: for the reports
  local folder=${1:-data/outages}
  if (($# > 1)) || [[ $folder == -* ]]; then
    echo "dev bench outages: takes one FOLDER for its reports, and no options" >&2
    return 2
  fi
  packages_install
  build release programs
  bench_outages_run "$folder/kills" --faults kill:busiest,kill:coordinator,kill:neither --rounds 17 --hold 1.5 --rate 300
  bench_outages_run "$folder/back" --faults kill:clients --rounds 6 --hold 3 --rate 60 --listeners 6000
  bench_outages_run "$folder/cuts" --faults cut:clients,drain:clients --rounds 8 --hold 16 --rate 200 --listeners 60
  python3 - "$folder" <<'END'
import json, sys

def load(name):
    return json.load(open(f"{sys.argv[1]}/{name}/summary.json"))

def row(what, figures, goal=""):
    print(f"  {what:58} {figures['count']:6} {figures['p50']:7} {figures['p99']:7} {figures['max']:7}   {goal}")

kills, back, cuts = load("kills"), load("back"), load("cuts")
print(f"\n  {'milliseconds':58} {'n':>6} {'p50':>7} {'p99':>7} {'max':>7}")
for kind, times in kills["faults"].items():
    row(f"partitions serve again, {times} x {kind}", kills["partition_ms"][kind], "p99 500")
for kind in kills["faults"]:
    row(f"clients are back, {kind}", kills["back_ms"][kind], "p99 1,000")
for one in back["each"]:
    row(f"clients are back, {one['idle_back_ms']['count']} on the killed node", one["idle_back_ms"], "p99 1,000 at 2,000")
row(f"clients in use are back, {cuts['faults']['cut:clients']} cut cables", cuts["back_ms"]["cut:clients"], "p99 4,000")
row("idle clients are back", cuts["idle_back_ms"]["cut:clients"], "p99 15,000")
row(f"messages are shown, {cuts['faults']['drain:clients']} drains", cuts["delivery_ms"]["drain:clients"], "max 200")
for name, run in (("kills", kills), ("back", back), ("cuts", cuts)):
    print(f"  {name}: {run['verdict']}; {run['acked']} acknowledged, {run['lost']} lost, {run['duplicated']} duplicated, "
          f"{run['out_of_order']} out of order; {sys.argv[1]}/{name}/report.html")
END
}
