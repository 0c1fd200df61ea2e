# Completion of vipctl(8) for bash. It reads its suggestions from vipctl itself, so it is never out of date.

# The options, commands and arguments that --help of a command lists.
_vipctl_help() {
    "$@" --help 2>/dev/null | sed -n -E \
        -e '/^[a-z]+:$/Ih' \
        -e 's/^  +(-[a-zA-Z], *)?(--[a-z-]+).*/\2/p' \
        -e '/^  +[a-z]/{G;s/^  +([a-z][a-z-]*).*\nSubcommands:$/\1/Ip;s/^  +([a-z]+).*\nPositionals:$/<\1>/Ip}'
}

# The names of the virtual routers.
_vipctl_routers() {
    "$@" status --json 2>/dev/null | sed -n '/^  "routers": \[/,/^  \]/ s/^      "name": "\(.*\)",\{0,1\}$/\1/p' | sort -u
}

_vipctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} program=("${COMP_WORDS[0]}") command='' i
    case ${COMP_WORDS[COMP_CWORD - 1]} in
        --run-dir) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
        --output) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    esac
    for ((i = 1; i < COMP_CWORD; ++i)); do
        case ${COMP_WORDS[i]} in
            --run-dir) program+=(--run-dir "${COMP_WORDS[++i]}") ;;
            -*) ;;
            *) command=${COMP_WORDS[i]}; break ;;
        esac
    done
    local offered
    mapfile -t offered < <(_vipctl_help "${COMP_WORDS[0]}" ${command:+"$command"})
    if [[ $cur != -* ]]; then
        case " ${offered[*]} " in
            *' <router> '*) mapfile -t -O "${#offered[@]}" offered < <(_vipctl_routers "${program[@]}") ;;
            *' <file> '* | *' <files> '*) mapfile -t -O "${#offered[@]}" offered < <(compgen -f -- "$cur") ;;
        esac
    fi
    mapfile -t COMPREPLY < <(printf '%s\n' "${offered[@]}" | grep -v '^<' | while IFS= read -r i; do
        [[ $i != "$cur"* ]] || printf '%s\n' "$i"
    done)
}

complete -o filenames -F _vipctl vipctl
