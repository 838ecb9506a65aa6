import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { User } from '../../users/index.js';

class Success {
  @ApiProperty({ enum: [true] })
  success!: true;
}

export class AsyncatUserBody {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ type: String, nullable: true, example: 'admin@local' })
  email!: string | null;

  @ApiProperty({ type: String, nullable: true, example: null })
  name!: string | null;

  @ApiProperty({ type: String, nullable: true, example: null })
  profile_picture!: string | null;
}

export class AsyncatStatusBody extends Success {
  @ApiProperty({ enum: ['local'] })
  mode!: 'local';

  @ApiProperty({ example: 'admin@local' })
  localEmail!: string;

  /** Whether set-up is open: then `first-run` signs in. */
  @ApiProperty()
  isFirstRun!: boolean;
}

export class AsyncatLoginBody {
  @ApiProperty({ example: 'admin@local' })
  email!: string;

  @ApiProperty({ format: 'password', example: 'changeme' })
  password!: string;
}

export class AsyncatSignInBody extends Success {
  @ApiProperty({ example: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9…' })
  token!: string;

  @ApiProperty({ type: AsyncatUserBody })
  user!: AsyncatUserBody;
}

export class AsyncatAccountBody extends Success {
  @ApiProperty({ type: AsyncatUserBody })
  user!: AsyncatUserBody;
}

export class AsyncatMessageBody extends Success {
  @ApiProperty({ example: 'Logged out' })
  message!: string;
}

/** `null` counts as not given; at least one is given. */
export class AsyncatLocalAccountBody {
  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 200, example: 'Ada' })
  name?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, format: 'email', example: 'ada@example.com' })
  email?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, format: 'password', minLength: 8 })
  password?: string | null;
}

export class AsyncatPasswordBody {
  @ApiProperty({ format: 'password', minLength: 8, example: 'three-random-words' })
  password!: string;
}

export class AsyncatErrorBody {
  @ApiProperty({ enum: [false] })
  success!: false;

  @ApiProperty({ example: 'Invalid or expired token' })
  error!: string;
}

/** A user as this wire shows them. */
export function userBody({ id, email, name, pictureUrl }: User): AsyncatUserBody {
  return { id, email, name, profile_picture: pictureUrl };
}
