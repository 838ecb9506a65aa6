import { type EntityManager, type EntitySubscriberInterface, EventSubscriber, type TransactionCommitEvent, type TransactionRollbackEvent } from 'typeorm';

interface RunnerData {
  afterCommit?: (() => void)[];
}

/**
 * Has something done once the transaction of a manager has been committed, and never if it is rolled back; at once where
 * there is no transaction. What is done must not throw, and nobody waits for it.
 */
export function afterCommit(manager: EntityManager, work: () => void): void {
  const runner = manager.queryRunner;
  if (runner?.isTransactionActive !== true) {
    work();
    return;
  }
  ((runner.data as RunnerData).afterCommit ??= []).push(work);
}

/** Hears from TypeORM how transactions end. Savepoints are not told apart: nothing here nests transactions. */
@EventSubscriber()
export class TransactionEnds implements EntitySubscriberInterface {
  afterTransactionCommit({ queryRunner }: TransactionCommitEvent): void {
    const data = queryRunner.data as RunnerData;
    const waiting = data.afterCommit;
    if (waiting === undefined || queryRunner.isTransactionActive) return;
    delete data.afterCommit;
    for (const work of waiting) work();
  }

  afterTransactionRollback({ queryRunner }: TransactionRollbackEvent): void {
    delete (queryRunner.data as RunnerData).afterCommit;
  }
}
