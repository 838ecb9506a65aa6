import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Roles } from '../access/index.js';
import { DoctorBody } from './doctor.dto.js';
import { Doctor } from './doctor.service.js';

@ApiTags('Doctor')
@Controller('doctor')
export class DoctorController {
  constructor(private readonly doctor: Doctor) {}

  /**
   * What is wrong with this installation, for owners. What this server, its files and its database show: `gatehouse
   * doctor` on its machine also tries the commonest passwords on owners. No secret is in the answer.
   */
  @Get()
  @Roles('owner')
  @ApiOkResponse({ type: DoctorBody })
  examine(): Promise<DoctorBody> {
    return this.doctor.examine();
  }
}
