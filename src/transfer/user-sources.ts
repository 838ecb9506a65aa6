import type { Role } from '../access/index.js';
import type { Names } from './record-fields.js';

/** Where the columns of a table of accounts are, and what its roles are called here. */
export interface UserSource {
  readonly columns: {
    readonly id: Names;
    readonly email: Names;
    readonly username: Names;
    readonly name: Names;
    readonly pictureUrl: Names;
    readonly role: Names;
    readonly passwordHash: Names;
    readonly active: Names;
    readonly disabled: Names;
    readonly disabledAt: Names;
    readonly passwordChangedAt: Names;
    readonly lastLoginAt: Names;
    readonly createdAt: Names;
    readonly updatedAt: Names;
  };
  readonly roles: Readonly<Partial<Record<string, Role>>>;
}

/** What every one of the tables has. */
const COMMON = {
  id: ['id'], email: ['email'], username: [], name: ['name'], pictureUrl: [], role: [], passwordHash: ['password_hash', 'password'],
  active: [], disabled: [], disabledAt: [], passwordChangedAt: [], lastLoginAt: [], createdAt: ['created_at'], updatedAt: ['updated_at'],
} as const satisfies UserSource['columns'];

const OWN_ROLES = { owner: 'owner', admin: 'admin', member: 'member' } as const;

/** The tables of accounts that are known by name. */
export const USER_SOURCES = {
  /** As Gatehouse exports accounts, and anything that calls its columns something alike. */
  generic: {
    columns: {
      ...COMMON,
      username: ['username', 'login'],
      name: ['name', 'full_name', 'display_name'],
      pictureUrl: ['picture_url', 'avatar_url', 'picture'],
      role: ['role'],
      passwordHash: ['password_hash', 'hashed_password', 'password'],
      active: ['active', 'is_active', 'enabled'],
      disabled: ['disabled', 'is_disabled'],
      disabledAt: ['disabled_at'],
      passwordChangedAt: ['password_changed_at'],
      lastLoginAt: ['last_login_at', 'last_login'],
    },
    roles: { ...OWN_ROLES, user: 'member' },
  },
  mosbot: {
    columns: { ...COMMON, pictureUrl: ['avatar_url'], role: ['role'], active: ['active'] },
    roles: { owner: 'owner', admin: 'admin', user: 'member' },
  },
  'os-trading-engine': {
    columns: { ...COMMON, name: [], lastLoginAt: ['last_login_at', 'last_login'] },
    roles: {},
  },
  /** Its people have no email addresses. */
  osmedeus: {
    columns: { ...COMMON, email: [], username: ['username'], name: [] },
    roles: {},
  },
  asyncat: {
    columns: { ...COMMON, pictureUrl: ['profile_picture'] },
    roles: {},
  },
  chatops: {
    columns: { ...COMMON, username: ['username'], name: ['full_name'], passwordHash: ['hashed_password', 'password_hash'], active: ['is_active'] },
    roles: {},
  },
} as const satisfies Record<string, UserSource>;

export type UserSourceName = keyof typeof USER_SOURCES;
