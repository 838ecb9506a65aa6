/** A file cannot be read any further, or nothing can be moved now: a sentence for whoever asked for it. */
export class TransferError extends Error {
  override readonly name = 'TransferError';
}
