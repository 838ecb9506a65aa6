import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { User } from '../../users/index.js';

export class ChatOpsRegisterBody {
  @ApiProperty({ format: 'email', example: 'user@example.com' })
  email!: string;

  @ApiProperty({ example: 'username' })
  username!: string;

  @ApiProperty({ format: 'password', minLength: 8, example: 'three random words' })
  password!: string;

  /** The same again. */
  @ApiProperty({ format: 'password', example: 'three random words' })
  password_confirm!: string;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'Full Name' })
  full_name?: string | null;
}

export class ChatOpsLoginForm {
  /** The user name, or the email address. */
  @ApiProperty({ example: 'username' })
  username!: string;

  @ApiProperty({ format: 'password', example: 'three random words' })
  password!: string;
}

export class ChatOpsRefreshBody {
  @ApiProperty()
  refresh_token!: string;
}

export class ChatOpsProfileBody {
  @ApiPropertyOptional({ type: String, nullable: true, example: 'Full Name' })
  full_name?: string | null;
}

export class ChatOpsPasswordBody {
  @ApiProperty({ format: 'password' })
  current_password!: string;

  @ApiProperty({ format: 'password', minLength: 8 })
  new_password!: string;

  /** The new one again. */
  @ApiProperty({ format: 'password' })
  new_password_confirm!: string;
}

export class ChatOpsUser {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ type: String, nullable: true, example: 'user@example.com' })
  email!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'username' })
  username!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'Full Name' })
  full_name!: string | null;

  @ApiProperty()
  is_active!: boolean;

  @ApiProperty({ format: 'date-time' })
  created_at!: string;
}

export class ChatOpsAccessToken {
  @ApiProperty()
  access_token!: string;

  @ApiProperty({ example: 'bearer' })
  token_type!: string;
}

export class ChatOpsTokens extends ChatOpsAccessToken {
  @ApiProperty()
  refresh_token!: string;

  @ApiProperty({ type: ChatOpsUser })
  user!: ChatOpsUser;
}

export class ChatOpsMessage {
  @ApiProperty({ example: 'Logged out successfully' })
  message!: string;
}

/** A user as this wire shows it. */
export function chatOpsUser(user: User): ChatOpsUser {
  return {
    id: user.id,
    email: user.email,
    username: user.username,
    full_name: user.name,
    is_active: user.disabledAt === null,
    created_at: user.createdAt.toISOString(),
  };
}
