import { Module } from '@nestjs/common';
import { AuthModule } from '../../auth/index.js';
import { OsmedeusInstanceKey } from './instance-key.js';
import { OsmedeusController } from './osmedeus.controller.js';

@Module({ imports: [AuthModule], controllers: [OsmedeusController], providers: [OsmedeusInstanceKey] })
export class OsmedeusModule {}
