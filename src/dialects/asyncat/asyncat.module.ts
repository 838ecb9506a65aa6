import { Module } from '@nestjs/common';
import { AuthModule } from '../../auth/index.js';
import { UsersModule } from '../../users/index.js';
import { AsyncatController } from './asyncat.controller.js';
import { AsyncatLocalAccount } from './local-account.js';

@Module({ imports: [AuthModule, UsersModule], controllers: [AsyncatController], providers: [AsyncatLocalAccount] })
export class AsyncatModule {}
