import type { RequestOptions } from './client.js';

/** A request that goes wrong outside of any handler: its name, the target below the server, what it carries, the status. */
export type BrokenRequest = [name: string, target: string, options: RequestOptions, status: number];

const json = { 'content-type': 'application/json' };

/** What the parser, the router, guards and pipes refuse on a wire that takes JSON alone, whatever its handlers do. */
export function brokenRequests(routes: { base: string; login: string; guarded: string }): BrokenRequest[] {
  const { base, login, guarded } = routes;
  const deep = `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`;
  return [
    ['broken JSON', `POST ${login}`, { raw: '{"email":', headers: json }, 400],
    ['a poisoned prototype', `POST ${login}`, { raw: '{"__proto__":{"admin":true}}', headers: json }, 400],
    ['a body that is an array', `POST ${login}`, { json: [] }, 400],
    ['a body that is a string', `POST ${login}`, { json: 'text' }, 400],
    ['a body that is null', `POST ${login}`, { json: null }, 400],
    ['a body nested a hundred times', `POST ${login}`, { raw: deep, headers: json }, 400],
    ['XML', `POST ${login}`, { raw: '<login/>', headers: { 'content-type': 'application/xml' } }, 415],
    ['a form', `POST ${login}`, { form: { email: 'a', password: 'b' } }, 415],
    ['a form whose media type is written in capitals', `POST ${login}`, { raw: 'email=a&password=b', headers: { 'content-type': 'Application/X-WWW-Form-URLencoded; charset=UTF-8' } }, 415],
    ['a multipart form', `POST ${login}`, { raw: '--x--', headers: { 'content-type': 'multipart/form-data; boundary=x' } }, 415],
    ['a megabyte and more', `POST ${login}`, { raw: `{"password":"${'x'.repeat(1024 * 1024)}"}`, headers: json }, 413],
    ['no body at all', `POST ${login}`, {}, 400],
    ['no body, but a media type', `POST ${login}`, { headers: json }, 400],
    ['an unknown route', `GET ${base}/nowhere`, {}, 404],
    ['an unknown route, with a bad token', `GET ${base}/nowhere`, { token: 'x.y.z' }, 404],
    ['the base path itself', `GET ${base}`, {}, 404],
    ['an unknown route, with broken JSON', `POST ${base}/nowhere`, { raw: '{"email":', headers: json }, 404],
    ['an unknown route, with XML', `POST ${base}/nowhere`, { raw: '<login/>', headers: { 'content-type': 'application/xml' } }, 404],
    ['an unknown route, with a form', `POST ${base}/nowhere`, { form: { email: 'a', password: 'b' } }, 404],
    ['an unknown route, with a media type that is none', `POST ${base}/nowhere`, { raw: 'x', headers: { 'content-type': 'nonsense' } }, 404],
    ['an unknown route, with a megabyte and more', `POST ${base}/nowhere`, { raw: `"${'x'.repeat(1024 * 1024)}"`, headers: json }, 404],
    ['an unknown method', `DELETE ${login}`, {}, 404],
    ['an unknown method, with broken JSON', `PUT ${login}`, { raw: '{"email":', headers: json }, 404],
    ['a path that cannot be decoded', `GET ${base}/%zz`, {}, 400],
    ['no credential', `GET ${guarded}`, {}, 401],
    ['no credential, with the path written another way', `GET ${guarded.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`)}`, {}, 401],
    ['no credential, with a query', `GET ${guarded}?x=1`, {}, 401],
    ['a token that is none', `GET ${guarded}`, { token: 'x.y.z' }, 401],
    ['an API key that is none', `GET ${guarded}`, { apiKey: 'null' }, 401],
  ];
}
