import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, ValidateIf } from 'class-validator';
import { Secret, Text } from '../http/index.js';
import { EmailAddress, Username } from '../users/index.js';

export class SetupBody {
  /** The token that the server printed when it started. */
  @Secret()
  token!: string;

  /** Needed if there is no username. */
  @ValidateIf((body: SetupBody) => body.email != null || body.username == null)
  @EmailAddress()
  @ApiPropertyOptional()
  email?: string | null;

  /** Needed if there is no email. */
  @IsOptional()
  @Username()
  @ApiPropertyOptional()
  username?: string | null;

  @Secret()
  @ApiProperty({ example: 'three-random-words-42' })
  password!: string;

  @IsOptional()
  @Text({ max: 200 })
  @ApiPropertyOptional({ example: 'Ada Lovelace' })
  name?: string | null;
}
