# Completion of vipctl(8) for fish. It reads its suggestions from vipctl itself, so it is never out of date.

# Words and what they are, as --help of a command lists them below a heading.
function __vipctl_help --argument-names part
    set --local arguments $argv[2..]
    vipctl $arguments --help 2>/dev/null | sed -n -E \
        -e '/^[a-z]+:$/Ih' \
        -e "/^  /{G;s/\n$part:\$/\n/I;T;s/^  +(-[a-zA-Z], *)?(-*[a-z][a-z-]*)[^ ]*( +[A-Z][^ ]*)*( +(.*))?\n\$/\2\t\5/p}"
end

function __vipctl_complete
    set --local words (commandline --tokenize --cut-at-cursor --current-process)[2..]
    set --local current (commandline --current-token --cut-at-cursor)
    set --local place
    set --local command
    if contains -- "$words[-1]" --run-dir
        __fish_complete_directories $current
        return
    else if contains -- "$words[-1]" --output
        __fish_complete_path $current
        return
    end
    while set --query words[1]
        switch $words[1]
            case --run-dir
                set place --run-dir $words[2]
                set --erase words[1]
            case '-*'
            case '*'
                set command $words[1]
                break
        end
        set --erase words[1]
    end
    __vipctl_help Subcommands $command
    __vipctl_help Options $command
    switch (__vipctl_help Positionals $command)[1]
        case 'router*'
            vipctl $place status --json 2>/dev/null |
                sed -n '/^  "routers": \[/,/^  \]/ s/^      "name": "\(.*\)",\{0,1\}$/\1/p' | sort -u
        case 'file*'
            __fish_complete_path $current
    end
end

complete --command vipctl --no-files --arguments '(__vipctl_complete)'
