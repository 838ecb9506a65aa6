import type { ReadStream } from 'node:tty';
import { CommandError } from './command-error.js';

const INTERRUPTED = 130;

/** What a keyboard sends in raw mode. */
const KEY = { interrupt: '\u0003', endOfInput: '\u0004', backspace: '\u0008', enter: '\r', newline: '\n', eraseLine: '\u0015', erase: '\u007f' };

/**
 * Asks at a terminal without showing what is typed, not even how much. The questions go to standard error, for standard
 * output may be read by a program.
 * @throws CommandError when the terminal goes away
 */
export async function askHidden<const Questions extends readonly string[]>(
  stdin: ReadStream,
  questions: Questions,
): Promise<{ [Index in keyof Questions]: string }> {
  const keys = stdin.setRawMode(true).setEncoding('utf8').iterator({ destroyOnReturn: false });
  let typedAhead = '';
  try {
    const answers: string[] = [];
    for (const question of questions) {
      process.stderr.write(question);
      const line = await readLine(keys, typedAhead);
      process.stderr.write('\n');
      answers.push(line.text);
      typedAhead = line.rest;
    }
    return answers as { [Index in keyof Questions]: string };
  } finally {
    stdin.setRawMode(false).pause();
  }
}

/** Reads up to the next Enter. */
async function readLine(keys: AsyncIterator<string>, typedAhead: string): Promise<{ text: string; rest: string }> {
  const typed: string[] = [];
  for (let chunk = typedAhead; ; ) {
    const characters = [...chunk];
    for (const [index, character] of characters.entries()) {
      if (character === KEY.enter || character === KEY.newline) {
        return { text: typed.join(''), rest: characters.slice(index + 1).join('') };
      }
      if (character === KEY.interrupt) interrupt();
      if (character === KEY.endOfInput && typed.length === 0) throw new CommandError('Nothing was typed. Nothing was changed.');
      if (character === KEY.eraseLine) typed.length = 0;
      else if (character === KEY.erase || character === KEY.backspace) typed.pop();
      else if (character >= ' ') typed.push(character);
    }
    const next = await keys.next();
    if (next.done === true) throw new CommandError('The terminal went away. Nothing was changed.');
    chunk = next.value;
  }
}

/** In raw mode the terminal sends no signal: Ctrl-C is a key like any other. */
function interrupt(): never {
  process.stderr.write('\n');
  process.exit(INTERRUPTED);
}
