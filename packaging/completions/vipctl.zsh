#compdef vipctl
# Completion of vipctl(8) for zsh. It reads its suggestions from vipctl itself, so it is never out of date.

# "word:what it is", as --help of a command lists it: -o options, -c commands, -p arguments.
_vipctl_help() {
  local part=$1
  shift
  "$@" --help 2>/dev/null | sed -n -E \
    -e '/^[a-z]+:$/Ih' \
    -e "/^  /{G;s/\\n${part}:\$/\\n/I;T;s/^  +(-[a-zA-Z], *)?(-*[a-z][a-z-]*)[^ ]*( +[A-Z][^ ]*)*( +(.*))?\\n\$/\\2:\\5/p}"
}

_vipctl_routers() {
  local -a names
  names=(${(f)"$("$@" status --json 2>/dev/null |
    sed -n '/^  "routers": \[/,/^  \]/ s/^      "name": "\(.*\)",\{0,1\}$/\1/p' | sort -u)"})
  (( $#names )) && _describe 'virtual router' names
}

_vipctl() {
  local -a program=($words[1]) command options commands arguments
  local i
  case $words[CURRENT-1] in
    --run-dir) _directories; return ;;
    --output) _files; return ;;
  esac
  for (( i = 2; i < CURRENT; ++i )); do
    case $words[i] in
      --run-dir) program+=(--run-dir $words[++i]) ;;
      -*) ;;
      *) command=($words[i]); break ;;
    esac
  done
  options=(${(f)"$(_vipctl_help Options $words[1] $command)"})
  commands=(${(f)"$(_vipctl_help Subcommands $words[1] $command)"})
  arguments=(${(f)"$(_vipctl_help Positionals $words[1] $command)"})
  (( $#commands )) && _describe 'command' commands
  (( $#options )) && _describe -o 'option' options
  case $arguments in
    router:*) _vipctl_routers $program ;;
    file*) _files ;;
  esac
}

_vipctl "$@"
