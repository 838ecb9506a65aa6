import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { ScaleDatabase } from './postgres.js';

/** One step of a plan, as EXPLAIN (ANALYZE, FORMAT JSON) has it. */
export interface Step {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: Step[];
}

/** A statement that was executed, and the steps that were taken for it. */
export interface Executed {
  readonly text: string;
  readonly steps: Step[];
}

/** Has every statement of a database's later connections written to the server's log, with the plan that it went by. */
export async function explainAll({ name, pool }: ScaleDatabase, planCacheMode: string): Promise<void> {
  const settings = {
    plan_cache_mode: planCacheMode,
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_timing': 'off',
    'auto_explain.log_format': 'json',
    // What foreign keys check and cascade are statements too.
    'auto_explain.log_nested_statements': 'on',
    'auto_explain.log_parameter_max_length': '0',
  };
  for (const [setting, value] of Object.entries(settings)) await pool.query(`ALTER DATABASE ${name} SET ${setting} = '${value}'`);
}

/** Reads out of the server's log what was executed. */
export class PlanLog {
  private from: number;

  constructor(private readonly path: string) {
    this.from = statSync(path).size;
  }

  /** What was executed since the last call: it is in the log before it is answered. */
  take(): Executed[] {
    const size = statSync(this.path).size;
    const buffer = Buffer.alloc(size - this.from);
    const file = openSync(this.path, 'r');
    readSync(file, buffer, 0, buffer.length, this.from);
    closeSync(file);
    this.from = size;
    return buffer.toString().split(/^(?=\d{4}-\d\d-\d\d )/m).flatMap((entry) => {
      const json = /duration: .* plan:\n([\s\S]*)$/.exec(entry)?.[1];
      if (json === undefined) return [];
      const { 'Query Text': text, Plan: plan } = JSON.parse(json) as { 'Query Text': string; Plan: Step };
      return [{ text: text.replaceAll(/\s+/g, ' ').trim(), steps: takenIn(plan) }];
    });
  }
}

/** How many rows a step has looked at. */
export function rowsRead(step: Step): number {
  const each = (step['Actual Rows'] ?? 0) + (step['Rows Removed by Filter'] ?? 0) + (step['Rows Removed by Index Recheck'] ?? 0);
  return each * (step['Actual Loops'] ?? 1);
}

function takenIn(plan: Step): Step[] {
  return [...(plan['Actual Loops'] === 0 ? [] : [plan]), ...(plan.Plans ?? []).flatMap(takenIn)];
}
