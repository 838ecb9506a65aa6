export { type Client, clientOf, CurrentClient, NO_CLIENT } from './client.js';
export { requireLocalRequest } from './local-request.js';
export { afterId, type Page, pageOf, PageQuery } from './page.js';
export { isBelow, pathOf } from './path.js';
export { type ErrorAnswer, PROBLEM_MEDIA_TYPE, ProblemDetails, problemExample, renderForeignProblem, renderProblem, retryAfterOf } from './problem.js';
export { isSoundSecret, Rule, Secret, Text, UNSOUND_SECRET } from './text.js';
export { Time } from './time.js';
export { RequestValidation, UuidParam } from './validation.js';
export { toAuthError } from './to-auth-error.js';
