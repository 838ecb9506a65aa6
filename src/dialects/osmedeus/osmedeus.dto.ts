import { ApiProperty } from '@nestjs/swagger';

export class OsmedeusLoginBody {
  @ApiProperty({ example: 'osmedeus' })
  username!: string;

  @ApiProperty({ format: 'password', example: 'your-password' })
  password!: string;
}

export class OsmedeusTokenBody {
  @ApiProperty({ example: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9…' })
  token!: string;
}

export class OsmedeusMessageBody {
  @ApiProperty({ example: 'Logged out successfully' })
  message!: string;
}

export class OsmedeusUserBody {
  @ApiProperty({ example: 'osmedeus' })
  username!: string;
}

export class OsmedeusErrorBody {
  @ApiProperty({ enum: [true] })
  error!: true;

  @ApiProperty({ example: 'Invalid or expired token' })
  message!: string;
}
