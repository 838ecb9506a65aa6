import { QueryFailedError } from 'typeorm';

/** PostgreSQL's unique_violation and foreign_key_violation (SQLSTATE). */
const VIOLATIONS = ['23505', '23503'];

/** The name of the unique constraint or foreign key that an error says was violated, or `null` for any other error. */
export function violatedConstraint(error: unknown): string | null {
  if (!(error instanceof QueryFailedError)) return null;
  const driver = error.driverError as Error & { code?: string; constraint?: string };
  return VIOLATIONS.includes(driver.code ?? '') ? (driver.constraint ?? null) : null;
}
