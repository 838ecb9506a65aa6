import type { ReadStream } from 'node:tty';
import type { InspectedSettings, Settings } from '../config/index.js';
import type { Instance } from './instance.js';
import { Output } from './output.js';

/** What stands above the command line, handed in by the program's main file. */
export interface Composition {
  /** The arguments after the script's name. */
  argv: readonly string[];
  /** Starts the server, which goes on running. */
  start: (argv: readonly string[]) => Promise<void>;
  /** Reads and checks the settings, as the server does. @throws SettingsError */
  readSettings: (argv: readonly string[]) => Promise<Settings>;
  /** The same, going on without what is wrong. */
  inspectSettings: (argv: readonly string[]) => Promise<InspectedSettings>;
  /** Puts what the way to the database said into words, where there are any. */
  explainDatabase: (error: unknown, settings: Settings) => Promise<unknown>;
}

/** The options of every command that works on the data. */
export interface DataOptions {
  dataDir?: string;
}

/** What a command has at hand. */
export class Cli {
  readonly out = new Output();

  constructor(private readonly composition: Composition) {}

  get stdin(): ReadStream {
    return process.stdin;
  }

  start(argv: readonly string[]): Promise<void> {
    return this.composition.start(argv);
  }

  /** The server's settings. @throws SettingsError */
  settings(options: DataOptions): Promise<Settings> {
    return this.composition.readSettings(flagsOf(options));
  }

  /** The server's settings, and what is wrong with them. */
  inspectSettings(options: DataOptions): Promise<InspectedSettings> {
    return this.composition.inspectSettings(flagsOf(options));
  }

  /**
   * Works on the data of the instance, whether its server runs or not, and lets go of it in any case.
   * @throws CommandError, AuthError, SettingsError, EmbeddedPostgresError, StartError, and whatever the work throws
   */
  async withInstance<T>(options: DataOptions, work: (on: Instance) => Promise<T>): Promise<T> {
    const settings = await this.settings(options);
    // Only now: half of the server comes with it, and help should not wait for that.
    const { Instance: Opened } = await import('./instance.js');
    const instance = await this.reaching(settings, () => Opened.open(settings, this.out));
    try {
      return await work(instance);
    } finally {
      await instance.close();
    }
  }

  /** Puts into words why the database cannot be reached. @throws StartError */
  async reaching<T>(settings: Settings, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // A command does not wait for a database that is away, as a start does.
      throw await this.composition.explainDatabase(error, { ...settings, databaseWaitSeconds: 0 });
    }
  }
}

function flagsOf({ dataDir }: DataOptions): string[] {
  return dataDir === undefined ? [] : [`--data-dir=${dataDir}`];
}
