import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

export class HealthBody {
  @ApiProperty({ enum: ['ok'] })
  status!: 'ok';

  @ApiProperty({ type: String, format: 'date-time' })
  timestamp!: string;

  @ApiProperty({ example: '0.1.0' })
  version!: string;

  /** Where the native API is served. */
  @ApiProperty({ example: '/api/v1' })
  nativeApi!: string;

  /** What the operator should know, such as that authentication is switched off. */
  @ApiPropertyOptional({ type: [String] })
  warnings?: string[];
}

class ReadinessChecks {
  @ApiProperty({ enum: ['up', 'down'] })
  database!: 'up' | 'down';

  @ApiProperty({ enum: ['up', 'down'] })
  migrations!: 'up' | 'down';

  @ApiPropertyOptional({ enum: ['up', 'degraded'], description: 'Redis, where it is used. `degraded`: it is away, and PostgreSQL does its work.' })
  cache?: 'up' | 'degraded';
}

export class ReadinessBody {
  @ApiProperty({ enum: ['ready', 'unready', 'stopping'] })
  status!: 'ready' | 'unready' | 'stopping';

  @ApiProperty({ type: ReadinessChecks })
  checks!: ReadinessChecks;
}

export class PublicConfigBody {
  /** Whether anybody may make an account. */
  @ApiProperty({ enum: ['open', 'closed'] })
  registration!: 'open' | 'closed';

  @ApiProperty({ example: 12 })
  passwordMinLength!: number;

  @ApiProperty({ enum: ['local', 'disabled'], description: '`disabled`: every request is the owner’s.' })
  authMode!: 'local' | 'disabled';

  @ApiProperty({ example: 'UTC', description: 'An IANA time zone.' })
  timezone!: string;

  @ApiProperty({ example: '0.1.0' })
  version!: string;
}
