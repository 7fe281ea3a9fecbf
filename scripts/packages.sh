# Installs the packages of packages.txt that are missing. Sourced by ./dev; takes some 10 ms when there is nothing to do.

packages_wanted() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' packages.txt; }

packages_installed() { # of those given
  dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^[ih]i *//p' | sort -u || true
}

packages_missing() {
  local wanted
  mapfile -t wanted < <(packages_wanted | sort -u)
  comm -23 <(printf '%s\n' "${wanted[@]}") <(packages_installed "${wanted[@]}")
}

# Where apt can't help, the names are what we can give.
packages_give_up() { # reason package…
  local reason=$1
  shift
  {
    echo "dev: $reason"
    echo "Holdfast is built on Debian 12 with its packages (packages.txt). What is needed here:"
    printf '    %s\n' "$@"
    echo "Install the like of them, then run again with HOLDFAST_SKIP_PACKAGES=1."
  } >&2
  exit 1
}

# apt would quietly remove the installed Boost to make room for ours. That is the user's to decide.
packages_refuse_boost_conflict() {
  [[ -n $(packages_installed libboost1.74-dev) ]] || return 0
  {
    echo "dev: libboost1.81-dev is needed and can't stand beside libboost1.74-dev, which is installed."
    echo "If nothing else here needs that one, remove it and run again:"
    echo "    ${SUDO}apt-get remove libboost1.74-dev"
  } >&2
  exit 1
}

packages_apt() { # arguments of apt-get
  ${SUDO}env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

packages_install() {
  [[ -z ${HOLDFAST_SKIP_PACKAGES:-} ]] || return 0
  local missing unknown=() package SUDO=""
  if ! { command -v dpkg-query && command -v apt-get; } >/dev/null; then
    mapfile -t missing < <(packages_wanted)
    packages_give_up "this system has no apt, so packages can't be looked up or installed." "${missing[@]}"
  fi

  mapfile -t missing < <(packages_missing)
  ((${#missing[@]})) || return 0

  if ((EUID != 0)); then
    command -v sudo >/dev/null || packages_give_up "packages are missing, and installing them takes root or sudo." "${missing[@]}"
    SUDO="sudo "
  fi
  [[ " ${missing[*]} " != *" libboost1.81-dev "* ]] || packages_refuse_boost_conflict

  echo "dev: installing ${#missing[@]} packages: ${missing[*]}"
  packages_apt -q update || echo "dev: apt-get update failed; going on with what apt knows already"
  for package in "${missing[@]}"; do
    [[ -n $(apt-cache madison "$package" 2>/dev/null) ]] || unknown+=("$package")
  done
  ((${#unknown[@]} == 0)) || packages_give_up "this system's apt does not know these packages." "${unknown[@]}"
  packages_apt -q install --no-install-recommends "${missing[@]}"
}
