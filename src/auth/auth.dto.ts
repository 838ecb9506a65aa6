import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsOptional, ValidateIf } from 'class-validator';
import { Secret, Text } from '../http/index.js';
import { EmailAddress, UserBody, Username } from '../users/index.js';

const Given = (): PropertyDecorator => ValidateIf((_, value: unknown) => value !== undefined);

/** One of the three identifiers, and a password. */
export class LoginBody {
  @ApiPropertyOptional({ format: 'email', example: 'ada@example.com' })
  @Given()
  @Secret()
  email?: string;

  @ApiPropertyOptional({ format: 'string', example: 'ada' })
  @Given()
  @Secret()
  username?: string;

  /** An email address or a username. */
  @ApiPropertyOptional({ format: 'string', example: 'ada' })
  @Given()
  @Secret()
  identifier?: string;

  @Secret()
  @ApiProperty({ example: 'three-random-words-42' })
  password!: string;

  /** Keeps the session for `REFRESH_TOKEN_TTL_REMEMBERED` instead of `REFRESH_TOKEN_TTL`. */
  @Given()
  @IsBoolean({ message: 'must be true or false' })
  @ApiPropertyOptional({ default: false })
  rememberMe?: boolean;
}

export class RegisterBody {
  @EmailAddress()
  email!: string;

  @Secret()
  @ApiProperty({ example: 'three-random-words-42' })
  password!: string;

  @IsOptional()
  @Username()
  @ApiPropertyOptional()
  username?: string | null;

  @IsOptional()
  @Text({ max: 200 })
  @ApiPropertyOptional({ example: 'Ada Lovelace' })
  name?: string | null;
}

export class RefreshBody {
  @Secret()
  refreshToken!: string;
}

export class TokensBody {
  @ApiProperty({ example: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9…', description: 'A JWT, for `Authorization: Bearer`.' })
  accessToken!: string;

  /** Good for one exchange. */
  @ApiProperty({ example: 'AZC29Gwefcy3pQ2Pijpv….0.9XfY…' })
  refreshToken!: string;

  @ApiProperty({ enum: ['Bearer'] })
  tokenType!: 'Bearer';

  /** Seconds until the access token expires. */
  @ApiProperty({ example: 900 })
  expiresIn!: number;
}

export class SignInBody extends TokensBody {
  @ApiProperty({ type: UserBody })
  user!: UserBody;

  /** The access token once more, for OAuth 2.0 clients: only in the answer to a form (RFC 6749 §5.1). */
  @ApiPropertyOptional()
  access_token?: string;

  @ApiPropertyOptional({ enum: ['bearer'] })
  token_type?: 'bearer';
}

export class AuthStatusBody {
  /** Whether there is an owner. Until then, `POST /setup` makes one. */
  @ApiProperty()
  setupComplete!: boolean;

  @ApiProperty({ description: '`false` with `AUTH_DISABLED`.' })
  authenticationEnabled!: boolean;

  @ApiProperty({ enum: ['local', 'disabled'], description: '`local`: accounts are kept here.' })
  mode!: 'local' | 'disabled';
}
