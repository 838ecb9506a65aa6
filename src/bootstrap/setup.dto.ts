import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { Secret } from '../http/index.js';
import { EmailAddress, NewAccountBody } from '../users/index.js';

export class SetupBody extends NewAccountBody {
  /** The token that the server printed when it started, or that `gatehouse owner recover` printed. */
  @Secret()
  token!: string;

  /** Needed if there is no username; a claim to an account that is there already takes neither. */
  @IsOptional()
  @EmailAddress()
  @ApiPropertyOptional()
  override email?: string | null;
}
