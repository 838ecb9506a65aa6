/** A product's own server that listens to security events, and looks whether they are committed when it hears of them. */
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { OnSecurityEvent, Public, run, type SecurityEvent, SecurityEvents } from 'gatehouse';
import { Client } from 'pg';

interface Heard {
  by: string;
  action: string;
  event: SecurityEvent;
  /** Whether another connection saw the event at that moment. */
  committed: boolean;
}

const heard: Heard[] = [];

@Injectable()
class Alerts {
  @OnSecurityEvent('login.failed', 'account.locked')
  explain(event: SecurityEvent<'login.failed' | 'account.locked'>): void {
    // Typed by its action: this compiles only because both say a reason.
    heard.push({ by: event.detail?.reason ?? 'nobody knows', action: event.action, event, committed: true });
  }

  @OnSecurityEvent('user.created')
  async fail(): Promise<never> {
    await Promise.resolve();
    throw new Error('the alert could not be sent');
  }
}

@Controller('heard')
class HeardController {
  constructor(events: SecurityEvents) {
    events.on('*', async (event) => {
      const client = new Client({ connectionString: process.env['DATABASE_URL'] });
      await client.connect();
      const { rowCount } = await client.query('SELECT FROM audit_events WHERE id = $1', [event.id]);
      await client.end();
      heard.push({ by: 'all', action: event.action, event, committed: rowCount === 1 });
    });
  }

  @Get()
  @Public()
  list(): Heard[] {
    return heard;
  }
}

@Module({ controllers: [HeardController], providers: [Alerts] })
class AlertsModule {}

await run({ env: process.env, argv: process.argv.slice(2), imports: [AlertsModule] });
