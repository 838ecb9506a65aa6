import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { User } from '../../users/index.js';

const TOKEN_EXAMPLE = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9…';
const REFRESH_TOKEN_EXAMPLE = 'AZC29Gwefcy3pQ2Pijpv….0.9XfY…';

export class OsTradingEngineErrorBody {
  @ApiProperty({ example: 'Invalid email or password' })
  error!: string;

  @ApiPropertyOptional({ type: String, format: 'date-time', description: 'On 423 alone.' })
  lockedUntil?: string;
}

export class OsTradingEngineLoginBody {
  @ApiProperty({ format: 'email', example: 'user@example.com' })
  email!: string;

  @ApiProperty({ format: 'password', example: 'SecurePassword123!' })
  password!: string;

  @ApiPropertyOptional({ default: false, description: 'Keeps the refresh token good for 30 days instead of 24 hours.' })
  rememberMe?: boolean;
}

export class OsTradingEngineRefreshBody {
  @ApiProperty({ example: REFRESH_TOKEN_EXAMPLE })
  refreshToken!: string;
}

export class OsTradingEngineLogoutBody {
  /** Ends the session that it belongs to as well, if that is yours. */
  @ApiPropertyOptional({ type: String, nullable: true, example: REFRESH_TOKEN_EXAMPLE })
  refreshToken?: string | null;
}

export class OsTradingEngineUser {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ type: String, nullable: true, format: 'email', example: 'user@example.com' })
  email!: string | null;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt!: string;
}

export class OsTradingEngineTokens {
  @ApiProperty({ example: TOKEN_EXAMPLE, description: 'A JWT, for `Authorization: Bearer`; good for 15 minutes.' })
  accessToken!: string;

  @ApiProperty({ example: REFRESH_TOKEN_EXAMPLE, description: 'Stays the same as long as it is good.' })
  refreshToken!: string;
}

export class OsTradingEngineSignInBody extends OsTradingEngineTokens {
  @ApiProperty({ type: OsTradingEngineUser })
  user!: OsTradingEngineUser;
}

export class OsTradingEngineLoggedOutBody {
  @ApiProperty({ enum: [true] })
  success!: true;

  @ApiProperty({ example: 'Logged out successfully' })
  message!: string;
}

/** A user as the product shows one. */
export function osTradingEngineUser({ id, email, createdAt }: User): OsTradingEngineUser {
  return { id, email, createdAt: createdAt.toISOString() };
}
