import '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';

const COOKIE = 'osmedeus_session';
/** Methods that change nothing (RFC 9110 §9.2.1). */
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/** The token of a request's cookie, if there is one and it counts for this request. */
export function readSessionCookie(request: FastifyRequest): string | null {
  const value = request.cookies[COOKIE] ?? '';
  if (value === '') return null;
  return SAFE_METHODS.includes(request.method) || isSameOrigin(request) ? tokenIn(value) : null;
}

/** Gives the token to the browser too, for as long as it is good. The product's dashboard reads it by script. */
export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, token: string, seconds: number): void {
  const expires = new Date(Date.now() + seconds * 1000);
  void reply.setCookie(COOKIE, token, { ...attributesOf(request), expires });
}

export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): void {
  void reply.clearCookie(COOKIE, attributesOf(request));
}

/**
 * Whether a request comes from a page of this server, or from no page at all: a browser sends the cookie along whoever
 * wrote the page (cross-site request forgery). Where the browser says so itself (Fetch Metadata), that decides.
 */
export function isSameOrigin(request: FastifyRequest): boolean {
  const { 'sec-fetch-site': site, origin } = request.headers;
  if (site !== undefined) return site === 'same-origin';
  return origin === undefined || origin.toLowerCase() === `${request.protocol}://${request.host}`.toLowerCase();
}

/** The product's dashboard writes the token as it is, or wrapped in JSON; the percent-encoding is undone already. */
function tokenIn(value: string): string {
  try {
    const { token } = JSON.parse(value) as { token?: unknown };
    return typeof token === 'string' ? token : value;
  } catch {
    return value;
  }
}

function attributesOf(request: FastifyRequest): { path: '/'; sameSite: 'lax'; secure: boolean } {
  return { path: '/', sameSite: 'lax', secure: request.protocol === 'https' };
}
