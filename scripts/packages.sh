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

# Tests start Postfix from folders of their own; the system's is not to run. debconf is told to leave it unconfigured, so
# that it opens no port at the next boot either, and policy-rc.d, which invoke-rc.d asks, forbids starts meanwhile. A
# policy-rc.d that is there already is somebody else's and stays as it is.
packages_without_daemons() { # command…
  local policy=/usr/sbin/policy-rc.d status=0
  if [[ -z $(packages_installed postfix) ]] && command -v debconf-set-selections >/dev/null; then
    echo "postfix postfix/main_mailer_type select No configuration" | ${SUDO}debconf-set-selections
  fi
  if [[ -e $policy || -L $policy ]]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' | ${SUDO}tee "$policy" >/dev/null
  ${SUDO}chmod 755 "$policy"
  trap '${SUDO}rm -f /usr/sbin/policy-rc.d' EXIT
  "$@" || status=$?
  ${SUDO}rm -f "$policy"
  trap - EXIT
  return $status
}

# Two mail servers can't be installed side by side: apt would remove the one that carries this machine's mail.
packages_other_mail_server() {
  dpkg-query -W -f='${db:Status-Abbrev}\t${Package}\t${Provides}\n' 2>/dev/null |
    awk -F '\t' '$1 ~ /^ii/ && $2 != "postfix" && $3 ~ /(^|[ ,])mail-transport-agent/ {print $2; exit}'
}

packages_keep_mail_server() {
  local other
  [[ " ${missing[*]} " == *" postfix "* ]] || return 0
  other=$(packages_other_mail_server)
  [[ -n $other ]] || return 0
  echo "dev: postfix would replace $other, so it is not installed; the tests that mail through a real Postfix fail without it" >&2
  mapfile -t missing < <(printf '%s\n' "${missing[@]}" | grep -vx postfix)
}

packages_install() {
  [[ -z ${HOLDFAST_SKIP_PACKAGES:-} ]] || return 0
  local missing unknown=() package SUDO=""
  if ! { command -v dpkg-query && command -v apt-get; } >/dev/null; then
    mapfile -t missing < <(packages_wanted)
    packages_give_up "this system has no apt, so packages can't be looked up or installed." "${missing[@]}"
  fi

  mapfile -t missing < <(packages_missing)
  packages_keep_mail_server
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
  packages_without_daemons packages_apt -q install --no-install-recommends "${missing[@]}"
}
