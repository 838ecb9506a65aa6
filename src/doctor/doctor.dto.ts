import { ApiProperty } from '@nestjs/swagger';
import { FINDING_IDS, type FindingId, SEVERITIES, type Severity } from './finding.js';

export class FindingBody {
  /** What it is about, for programs. */
  @ApiProperty({ enum: FINDING_IDS, example: 'proxy-not-trusted' })
  id!: FindingId;

  /** `error`: somebody can get in, or something does not work. `warning`: a protection is missing. `notice`: worth knowing. */
  @ApiProperty({ enum: SEVERITIES, example: 'warning' })
  severity!: Severity;

  /** What was found. */
  @ApiProperty({ example: 'Requests come with X-Forwarded-For from 192.0.2.7, and TRUST_PROXY is not set.' })
  title!: string;

  /** What that means. */
  @ApiProperty({ example: 'If that is your proxy, all callers share its address.' })
  meaning!: string;

  /** The setting or the command that mends it. */
  @ApiProperty({ example: 'If it is your proxy, set TRUST_PROXY to the number of proxies or to their addresses.' })
  remedy!: string;
}

export class DoctorBody {
  /** The worst first; none is a clean bill. */
  @ApiProperty({ type: [FindingBody] })
  findings!: readonly FindingBody[];

  /** Whether the passwords of owners have all been tried. `false`: ask again in some seconds. */
  @ApiProperty({ example: true })
  complete!: boolean;
}
