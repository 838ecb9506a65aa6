import type { FastifyReply, FastifyRequest } from 'fastify';
import passport from 'passport';

/** What a strategy says: a principal, or none and why. */
type Told<P> = (error: unknown, principal: P | false | undefined, info: unknown) => P;

const WITHOUT_SESSION = { session: false };

/**
 * Has the strategy for access tokens authenticate a request. Nest's `AuthGuard` makes four promises of it; here there is
 * none where the strategy knows the answer at once.
 * @param told makes of the strategy's answer a principal, or throws the refusal
 */
export function askStrategy<P>(
  request: FastifyRequest,
  reply: FastifyReply,
  told: Told<P>,
): P | Promise<P> {
  let answer: { error: unknown; principal: P | false | undefined; info: unknown } | undefined;
  let answered: (() => void) | undefined;
  const middleware = passport.authenticate('jwt', WITHOUT_SESSION, (error: unknown, principal: P | false | undefined, info: unknown) => {
    answer = { error, principal, info };
    answered?.();
  }) as (request: FastifyRequest, reply: FastifyReply, next: (error?: unknown) => void) => void;
  const outcome = (): P => told(answer?.error, answer?.principal, answer?.info);
  middleware(request, reply, (error) => {
    answer = { error, principal: false, info: undefined };
    answered?.();
  });
  if (answer !== undefined) return outcome();
  return new Promise<void>((resolve) => { answered = resolve; }).then(outcome);
}

/** Tells Passport who it is, at once or as soon as that is known. */
export function settle<P>(
  strategy: { success(principal: P): void; error(error: Error): void },
  principal: P | Promise<P>,
): void {
  if (!(principal instanceof Promise)) {
    strategy.success(principal);
    return;
  }
  principal.then(
    (found) => { strategy.success(found); },
    (error: unknown) => { strategy.error(error as Error); },
  );
}
