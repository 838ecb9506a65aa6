import { type Command, Option } from 'commander';
import type { Page, PageQuery } from '../http/index.js';
import type { DataOptions } from './cli.js';
import { dataDirOption, wholeNumber } from './command-group.js';
import { type Cell, type Output, toJson } from './output.js';

const LARGEST_PAGE = 200;

/** The options of every list. */
export interface ListOptions extends DataOptions {
  limit: number;
  cursor?: string;
  all?: true;
  json?: true;
}

/** Adds the options of a list to a command. */
export function listOptions(command: Command, shape: string): Command {
  return command
    .addOption(new Option('-n, --limit <count>', 'How many at most').argParser(wholeNumber(1, LARGEST_PAGE)).default(50))
    .addOption(new Option('--cursor <cursor>', 'Where to go on: the nextCursor of an earlier answer'))
    .addOption(new Option('--all', 'All of them, however many').conflicts(['limit', 'cursor']))
    .addOption(dataDirOption())
    .addOption(new Option('--json', `Prints {"items": [${shape}], "nextCursor"} as JSON, as the native API has it`));
}

/** How the items of a list are read and shown. */
export interface Listing<Item> {
  headings: readonly string[];
  page: (query: PageQuery) => Promise<Page<Item>>;
  cells: (item: Item) => readonly Cell[];
  json: (item: Item) => unknown;
}

/** Prints a list, newest first, a page at a time. */
export async function printList<Item>(out: Output, options: ListOptions, listing: Listing<Item>): Promise<void> {
  const print = options.json ? new JsonList(out, listing) : new TableOf(out, listing);
  let { cursor } = options;
  for (;;) {
    const limit = options.all ? LARGEST_PAGE : options.limit;
    const { items, nextCursor } = await listing.page({ limit, ...(cursor === undefined ? {} : { cursor }) });
    await print.add(items);
    if (!options.all || nextCursor === null) return print.end(nextCursor);
    cursor = nextCursor;
  }
}

class TableOf<Item> {
  private readonly table;

  constructor(private readonly out: Output, private readonly listing: Listing<Item>) {
    this.table = out.table(...listing.headings);
  }

  add(items: readonly Item[]): Promise<void> {
    return this.table.add(items.map((item) => this.listing.cells(item)));
  }

  end(nextCursor: string | null): Promise<void> {
    if (nextCursor !== null) this.out.note(`There are more: go on with --cursor ${nextCursor}, or take --all.`);
    return Promise.resolve();
  }
}

/** One object, written as it comes, so that a long list need not be held. */
class JsonList<Item> {
  private begun = false;

  constructor(private readonly out: Output, private readonly listing: Listing<Item>) {}

  async add(items: readonly Item[]): Promise<void> {
    for (const item of items) {
      await this.out.write(`${this.begun ? ',\n' : '{"items": [\n'}${toJson(this.listing.json(item))}`);
      this.begun = true;
    }
  }

  end(nextCursor: string | null): Promise<void> {
    return this.out.line(`${this.begun ? '\n' : '{"items": ['}], "nextCursor": ${toJson(nextCursor)}}`);
  }
}
