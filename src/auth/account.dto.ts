import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, ValidateIf } from 'class-validator';
import { Secret, Text } from '../http/index.js';
import { EmailAddress, Username } from '../users/index.js';

export class UpdateMeBody {
  @IsOptional()
  @Text({ max: 200 })
  @ApiPropertyOptional({ nullable: true, example: 'Ada Lovelace' })
  name?: string | null;

  @IsOptional()
  @Username()
  @ApiPropertyOptional({ nullable: true })
  username?: string | null;

  /** Needs the current password. */
  @IsOptional()
  @EmailAddress()
  @ApiPropertyOptional({ nullable: true })
  email?: string | null;

  @ValidateIf((_, value: unknown) => value !== undefined)
  @Secret()
  @ApiPropertyOptional()
  currentPassword?: string;
}

export class ChangePasswordBody {
  @Secret()
  @ApiProperty({ example: 'three-random-words-42' })
  currentPassword!: string;

  @Secret()
  @ApiProperty({ example: 'four-other-random-words-7' })
  newPassword!: string;
}
