import type { CommandDeclaration, OptionDeclaration } from '../declaration.ts';
import {
  type CompletionMaker,
  laterChoices,
  namesOf,
  quoted,
  shown,
  takesId,
  takesValue,
  valuedNames,
} from './declarations.ts';

/** One `complete` for each word, with the condition that its command stands before the cursor. */
export const fishCompletion: CompletionMaker = (globals, commands) => `function __tsrun_parse
    set -g __tsrun_command ''
    set -g __tsrun_root
    set -g __tsrun_later 0
    set -l skipped ''
    for token in (commandline -opc)[2..]
        if test -n "$skipped"
            test "$skipped" = --root; and set -g __tsrun_root --root $token
            set skipped ''
            continue
        end
        switch $token
            case ${valuedNames(globals).join(' ')}
                test -z "$__tsrun_command"; and set skipped $token
            case '-*'
            case '*'
                if test -n "$__tsrun_command"
                    set -g __tsrun_later (math $__tsrun_later + 1)
                else
                    set -g __tsrun_command $token
                end
        end
    end
end
function __tsrun_in
    __tsrun_parse
    test "$__tsrun_command" = "$argv[1]"
end
function __tsrun_later
    __tsrun_parse
    test "$__tsrun_command" = "$argv[1]" -a $__tsrun_later -gt 0
end
function __tsrun_first
    __tsrun_parse
    test "$__tsrun_command" = "$argv[1]" -a $__tsrun_later -eq 0
end
function __tsrun_ids
    __tsrun_parse
    tsrun $__tsrun_root list -q 2>/dev/null
end
complete -c tsrun -f
${shown(globals)
  .map((option) => optionLine('', option))
  .join('')}${shown(commands).flatMap(commandLines).join('')}`;

function commandLines(command: CommandDeclaration): string[] {
  const { name, summary, options } = command;
  const within = `complete -c tsrun -n '__tsrun_in ${name}'`;
  const choices = command.arguments[0]?.choices;
  const later = laterChoices(command);
  // If other words follow the first argument, ids are only offered for the first.
  const idsWithin = later.length > 0 ? `complete -c tsrun -n '__tsrun_first ${name}'` : within;
  return [
    `complete -c tsrun -n '__tsrun_in ""' -a ${name} -d ${quoted(summary)}\n`,
    ...(takesId(command) ? [`${idsWithin} -a '(__tsrun_ids)'\n`] : []),
    ...(later.length > 0 ? [`complete -c tsrun -n '__tsrun_later ${name}' -a '${later.join(' ')}'\n`] : []),
    ...(choices === undefined ? [] : [`${within} -a '${choices.join(' ')}'\n`]),
    ...shown(options).map((option) => optionLine(name, option)),
  ];
}

function optionLine(command: string, option: OptionDeclaration): string {
  const names = namesOf(option).map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const value = takesValue(option) ? ` ${valueSpec(option)}` : '';
  return `complete -c tsrun -n '__tsrun_in "${command}"' ${names.join(' ')}${value} -d ${quoted(option.description)}\n`;
}

/** -x: only these words; -r -F: any value, which may be a file. */
const valueSpec = ({ choices }: OptionDeclaration): string =>
  choices === undefined ? '-r -F' : `-x -a '${choices.join(' ')}'`;
