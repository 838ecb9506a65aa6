import type { Api, Json } from './client.js';
import { OWNER } from './suite.js';

/** Somebody with an account who is signed in. */
export interface Person {
  id: string;
  email: string;
  password: string;
  token: string;
  refreshToken: string;
}

export const PASSWORD = 'three random words 42';

let made = 0;

/** The owner that every suite begins with, signed in. */
export async function owner(api: Api): Promise<Person> {
  return signIn(api, OWNER.email, OWNER.password);
}

/** Somebody new in a role, signed in. */
export async function person(api: Api, ownerToken: string, role: 'owner' | 'admin' | 'member'): Promise<Person> {
  made += 1;
  const email = `${role}-${String(made)}@example.com`;
  await api.createUser(ownerToken, { email, password: PASSWORD, role });
  return signIn(api, email, PASSWORD);
}

/** Signs in anew. */
export async function signIn(api: Api, email: string, password: string): Promise<Person> {
  const { accessToken, refreshToken, user } = await api.login(email, password);
  return { id: user.id as string, email, password, token: accessToken, refreshToken };
}

/** What is compared of a refusal: the status, the code and the fields at fault. */
export function refusal({ status, body }: { status: number; body: Json }): { status: number; code: string; fields?: string[] } {
  const fields = (body.errors as { field: string }[] | undefined)?.map(({ field }) => field);
  return { status, code: body.code as string, ...(fields === undefined ? {} : { fields }) };
}
