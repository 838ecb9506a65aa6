import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UsersModule } from '../users/index.js';
import { DoctorController } from './doctor.controller.js';
import { Doctor } from './doctor.service.js';
import { ForwardingSeen } from './forwarding.js';
import { SecretAge } from './secret-age.entity.js';
import { SecretAges } from './secret-ages.js';
import { ServerInstance } from './server-instance.entity.js';
import { ServerInstances } from './server-instances.js';

/** Knows what is wrong with an installation, and keeps what can only be known by watching. */
@Module({
  imports: [TypeOrmModule.forFeature([SecretAge, ServerInstance]), UsersModule],
  controllers: [DoctorController],
  providers: [Doctor, ForwardingSeen, SecretAges, ServerInstances],
})
export class DoctorModule {}
