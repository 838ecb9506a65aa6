import { TransferError } from './transfer-error.js';

/** The text of a file in UTF-8, piece by piece, without a byte order mark. @throws TransferError when it is something else */
export async function* decoded(input: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of input) yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      throw new TransferError('The file is not UTF-8 text: convert it first, for example with iconv.', { cause: error });
    }
    throw error;
  }
}

/** The first character that is no white space, and the text with it still in front; `null` where there is none. */
export async function peek(text: AsyncGenerator<string>): Promise<{ first: string | null; all: AsyncGenerator<string> }> {
  let begun = '';
  let first: string | null = null;
  while (first === null) {
    const next = await text.next();
    if (next.done) break;
    // White space alone is kept as well: it counts as lines.
    begun += next.value;
    first = /\S/.exec(next.value)?.[0] ?? null;
  }
  return { first, all: chained(begun, text) };
}

async function* chained(begun: string, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  yield begun;
  yield* rest;
}
