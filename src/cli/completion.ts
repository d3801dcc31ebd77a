import type { CommandDeclaration, OptionDeclaration } from './declaration.ts';

/** The script: all words are known when it is made, but for the containers' ids, which it asks tsrun for. */
export function bashCompletion(globals: readonly OptionDeclaration[], commands: readonly CommandDeclaration[]): string {
  const shown = commands.filter(({ hidden }) => hidden !== true);
  const valued = globals.flatMap((option) => (option.flags.includes('<') ? namesOf(option) : []));
  return `_tsrun() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command= words= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${valued.join(' | ')}) i=$((i + 1)) ;;
      -*) ;;
      *) command=\${COMP_WORDS[i]}; break ;;
    esac
  done
  case $command:$before in
${[...choiceCases('', globals), ...shown.flatMap(({ name, options }) => choiceCases(name, options))].join('')}\
    *) case $command in
      '') words='${wordsOf(globals)} ${shown.map(({ name }) => name).join(' ')}' ;;
${shown.map(commandCase).join('')}\
    esac ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _tsrun tsrun
`;
}

function commandCase({ name, options, arguments: args }: CommandDeclaration): string {
  const ids = args[0]?.name === '<id>' && !['create', 'run'].includes(name) ? ' $(tsrun list -q 2>/dev/null)' : '';
  return `      ${name}) words="${wordsOf(options)}${ids}" ;;\n`;
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

const namesOf = ({ flags }: OptionDeclaration): string[] => flags.split(/[ ,]+/).filter((part) => part.startsWith('-'));

const wordsOf = (options: readonly OptionDeclaration[]): string =>
  options
    .filter(({ hidden }) => hidden !== true)
    .flatMap(namesOf)
    .join(' ');
