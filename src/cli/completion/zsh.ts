import type { CommandDeclaration, OptionDeclaration } from '../declaration.ts';
import {
  type CompletionMaker,
  fileKind,
  laterChoices,
  namesOf,
  quoted,
  shown,
  takesId,
  takesValue,
} from './declarations.ts';

/** For sourcing, or for a directory of fpath as _tsrun. */
export const zshCompletion: CompletionMaker = (globals, commands) => `#compdef tsrun
_tsrun_ids() {
  local -a ids
  ids=(\${(f)"$(tsrun $_tsrun_root list -q 2>/dev/null)"})
  compadd -a ids
}
_tsrun_commands() {
  local -a commands
  commands=(
${shown(commands)
  .map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}\n`)
  .join('')}\
  )
  _describe command commands
}
_tsrun() {
  local curcontext=$curcontext state line
  local -a _tsrun_root
  typeset -A opt_args
  _arguments -C \\
${shown(globals)
  .map((option) => `    ${argumentOf(option)} \\\n`)
  .join('')}\
    '1:command:_tsrun_commands' '*::argument:->command'
  [[ $state == command ]] || return
  [[ -z $opt_args[--root] ]] || _tsrun_root=(--root \${(Q)opt_args[--root]})
  case $words[1] in
${shown(commands).map(commandCase).join('')}\
  esac
}
if [[ $funcstack[1] == _tsrun ]]; then _tsrun "$@"; else compdef _tsrun tsrun; fi
`;

function commandCase(command: CommandDeclaration): string {
  const words = [...shown(command.options).map(argumentOf), ...positionOf(command)];
  if (words.length === 0) return '';
  return `    ${command.name}) _arguments${words.map((word) => ` \\\n      ${word}`).join('')} ;;\n`;
}

/** Completes the first argument; arguments after the id complete as files, as they may be a program. */
function positionOf(command: CommandDeclaration): string[] {
  const [first] = command.arguments;
  if (first === undefined) return [];
  const many = first.name.includes('...') ? '*' : '1';
  if (first.choices !== undefined) return [quoted(`1:word:(${first.choices.join(' ')})`)];
  const later = laterChoices(command);
  if (later.length > 0) return [quoted('1:id:_tsrun_ids'), quoted(`2:word:(${later.join(' ')})`)];
  return [quoted(takesId(command) ? `${many}:id:_tsrun_ids` : '1:id: '), quoted('*:argument:_files')];
}

/** In the form of _arguments: the names of one option exclude each other, unless it may be repeated. */
function argumentOf(option: OptionDeclaration): string {
  const names = namesOf(option);
  // The equals sign makes --option=value complete as well as --option value.
  const words = names.map((name) => (takesValue(option) && name.startsWith('--') ? `${name}=` : name));
  const description = option.description.replace(/[[\]:\\]/g, '\\$&');
  const rest = quoted(`[${description}]${takesValue(option) ? valueSpec(option) : ''}`);
  const before = option.repeated === true ? "'*'" : quoted(`(${names.join(' ')})`);
  return before + (words.length === 1 ? words[0] : `{${words.join(',')}}`) + rest;
}

const files = { config: '_files -g "*.json"', directory: '_files -/', file: '_files' } as const;

const valueSpec = (option: OptionDeclaration): string =>
  option.choices === undefined ? `:value:${files[fileKind(option)]}` : `:value:(${option.choices.join(' ')})`;
