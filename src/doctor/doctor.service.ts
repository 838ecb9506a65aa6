import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Settings } from '../config/index.js';
import { OwnerPasswords } from '../users/index.js';
import { examineDatabase, examineSettings, type Examination } from './examine.js';
import { bySeverity } from './finding.js';

/**
 * While people sign in, no more than one turn at hashing: for the documented passwords and the account's own names. That
 * goes on after the answer, and is done once for each password. The command tries the commonest passwords as well.
 */
const GUESSING = { mostCommon: 0, atOnce: 1, patienceMs: 1_000 };

/** What is wrong with this installation, as far as a server can see that runs on it. */
@Injectable()
export class Doctor {
  private underWay: Promise<Examination> | null = null;

  constructor(
    private readonly settings: Settings,
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly passwords: OwnerPasswords,
  ) {}

  /** Whoever asks while somebody else is asking gets the same answer. */
  examine(): Promise<Examination> {
    this.underWay ??= this.examineNow().finally(() => { this.underWay = null; });
    return this.underWay;
  }

  private async examineNow(): Promise<Examination> {
    const { settings, dataSource, passwords } = this;
    const ofSettings = await examineSettings(settings);
    const { findings, complete } = await examineDatabase(settings, { dataSource, passwords, guessing: GUESSING });
    return { findings: [...ofSettings, ...findings].sort(bySeverity), complete };
  }
}
