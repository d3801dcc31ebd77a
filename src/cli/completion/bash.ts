import type { CommandDeclaration, OptionDeclaration } from '../declaration.ts';
import { type CompletionMaker, namesOf, shown, takesId, valuedNames } from './words.ts';

/** The script: all words are known when it is made, but for the containers' ids, which it asks tsrun for. */
export const bashCompletion: CompletionMaker = (globals, commands) => `_tsrun() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command= words= i root=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      --root) i=$((i + 1)); root=(--root "\${COMP_WORDS[i]}") ;;
      ${valuedNames(globals)
        .filter((name) => name !== '--root')
        .join(' | ')}) i=$((i + 1)) ;;
      -*) ;;
      *) command=\${COMP_WORDS[i]}; break ;;
    esac
  done
  case $command:$before in
${[...choiceCases('', globals), ...shown(commands).flatMap(({ name, options }) => choiceCases(name, options))].join('')}\
    *) case $command in
      '') words='${wordsOf(globals)} ${shown(commands)
        .map(({ name }) => name)
        .join(' ')}' ;;
${shown(commands).map(commandCase).join('')}\
    esac ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _tsrun tsrun
`;

function commandCase(command: CommandDeclaration): string {
  const [argument] = command.arguments;
  // Words that are the argument's own, such as the names of shells.
  const own = argument?.choices === undefined ? '' : ` ${argument.choices.join(' ')}`;
  const ids = takesId(command) ? ` $(tsrun "\${root[@]}" list -q 2>/dev/null)` : '';
  return `      ${command.name}) words="${wordsOf(command.options)}${own}${ids}" ;;\n`;
}

function choiceCases(command: string, options: readonly OptionDeclaration[]): string[] {
  return options.flatMap((option) =>
    option.choices === undefined
      ? []
      : [
          `    ${namesOf(option)
            .map((name) => `${command}:${name}`)
            .join(' | ')}) words='${option.choices.join(' ')}' ;;\n`,
        ],
  );
}

const wordsOf = (options: readonly OptionDeclaration[]): string => shown(options).flatMap(namesOf).join(' ');
