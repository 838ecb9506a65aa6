import '@fastify/cookie';
import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { v4 as uuidv4 } from 'uuid';
import { SigningKeys } from '../sessions/index.js';

const COOKIE = 'gh_device';
const LIFETIME_SECONDS = 180 * 24 * 60 * 60;
/** Accounts that one browser is remembered for; the one used longest ago makes room. */
const MOST_ACCOUNTS = 5;
const ENTRY = /^([0-9a-f-]{36})\.([0-9a-f-]{36})\.([A-Za-z0-9_-]{43})$/;

interface Entry {
  userId: string;
  deviceId: string;
}

/**
 * A browser that has signed in to an account before carries a signed cookie that says so, and has a counter of failures
 * of its own: strangers who lock the account do not lock out the person at that browser. It proves no identity.
 */
@Injectable()
export class DeviceCookie {
  constructor(private readonly keys: SigningKeys) {}

  /** Finds the device that a request's browser is to an account; `null` for a stranger. */
  reader(request: FastifyRequest): (userId: string) => string | null {
    const entries = this.entriesOf(request);
    return (userId) => entries.find((entry) => entry.userId === userId)?.deviceId ?? null;
  }

  /** Remembers the browser for the account it just signed in to. */
  remember(request: FastifyRequest, reply: FastifyReply, userId: string): void {
    const entries = this.entriesOf(request);
    const known = entries.find((entry) => entry.userId === userId);
    const others = entries.filter((entry) => entry.userId !== userId);
    const all = [{ userId, deviceId: known?.deviceId ?? uuidv4() }, ...others].slice(0, MOST_ACCOUNTS);
    void reply.setCookie(COOKIE, all.map((entry) => this.write(entry)).join('~'), {
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure: request.protocol === 'https',
      maxAge: LIFETIME_SECONDS,
    });
  }

  private entriesOf(request: FastifyRequest): Entry[] {
    const texts = (request.cookies[COOKIE] ?? '').split('~').slice(0, MOST_ACCOUNTS);
    return texts.flatMap((text) => this.read(text) ?? []);
  }

  private write({ userId, deviceId }: Entry): string {
    return `${userId}.${deviceId}.${this.keys.sign('device cookie', `${userId}.${deviceId}`)}`;
  }

  private read(text: string): Entry | null {
    const [, userId, deviceId, signature] = ENTRY.exec(text) ?? [];
    if (userId === undefined || deviceId === undefined || signature === undefined) return null;
    return this.keys.verify('device cookie', `${userId}.${deviceId}`, signature) ? { userId, deviceId } : null;
  }
}
