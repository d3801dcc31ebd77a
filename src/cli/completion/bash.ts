import type { CommandDeclaration, OptionDeclaration } from '../declaration.ts';
import {
  type CompletionMaker,
  laterChoices,
  namesOf,
  shown,
  takesId,
  takesValue,
  valuedNames,
} from './declarations.ts';

/** Makes the script. It holds all words except the containers' ids, which it asks tsrun for. */
export const bashCompletion: CompletionMaker = (globals, commands) => `_tsrun() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command= words= i later=0 root=()
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
  # Words after the command that are no options, without the one before the cursor.
  for ((i++; i < COMP_CWORD; i++)); do [[ \${COMP_WORDS[i]} == -* ]] || later=$((later + 1)); done
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
  // The argument's own words, such as the names of shells.
  const own = argument?.choices === undefined ? '' : ` ${argument.choices.join(' ')}`;
  const later = laterChoices(command);
  const ids = takesId(command) ? ` $(tsrun "\${root[@]}" list -q 2>/dev/null)` : '';
  if (later.length > 0) {
    const options = wordsOf(command.options);
    return `      ${command.name}) if ((later > 0)); then words="${options} ${later.join(' ')}"; else words="${options}${ids}"; fi ;;\n`;
  }
  return `      ${command.name}) words="${wordsOf(command.options)}${own}${ids}" ;;\n`;
}

function choiceCases(command: string, options: readonly OptionDeclaration[]): string[] {
  // A value without a list of words is a file's name, which bash completes when nothing else fits.
  return options.filter(takesValue).map((option) => {
    const names = namesOf(option).map((name) => `${command}:${name}`);
    return `    ${names.join(' | ')}) words='${(option.choices ?? []).join(' ')}' ;;\n`;
  });
}

const wordsOf = (options: readonly OptionDeclaration[]): string => shown(options).flatMap(namesOf).join(' ');
