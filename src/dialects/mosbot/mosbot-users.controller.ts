import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiBody, ApiConflictResponse, ApiCreatedResponse, ApiNoContentResponse, ApiNotFoundResponse, ApiOkResponse, ApiQuery, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal, Public, Roles } from '../../access/index.js';
import { Settings } from '../../config/index.js';
import { type Client, CurrentClient, UuidParam } from '../../http/index.js';
import { UserAdministration, UsersService } from '../../users/index.js';
import { type Range, readAccountChange, readNewAccount, readRange } from './mosbot.bodies.js';
import { passwordMinLength } from './mosbot.dialect.js';
import { MosbotConfigBody, MosbotCreateUserBody, MosbotErrorBody, MosbotUpdateUserBody, mosbotUser, MosbotUserBody, MosbotUserList } from './mosbot.dto.js';

const LARGEST_PAGE = 200;
const USUAL_PAGE = 50;
/** The product's list for administrators has no pages. */
const LARGEST_ADMIN_LIST = 1_000;

@ApiTags('MosBot OS')
@Controller('api/v1/config')
export class MosbotConfigController {
  constructor(private readonly settings: Settings) {}

  /** What a client needs to know before anybody has signed in. */
  @Get()
  @Public()
  @ApiOkResponse({ type: MosbotConfigBody })
  get(): MosbotConfigBody {
    const { timezone, registration } = this.settings;
    return { data: { timezone, registration, password_min_length: passwordMinLength(this.settings) } };
  }
}

@ApiTags('MosBot OS')
@Controller('api/v1/users')
export class MosbotUsersController {
  constructor(private readonly users: UsersService) {}

  /** Everybody, newest first. */
  @Get()
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: LARGEST_PAGE, default: USUAL_PAGE } })
  @ApiQuery({ name: 'offset', required: false, schema: { type: 'integer', minimum: 0, default: 0 } })
  @ApiQuery({ name: 'search', required: false, description: 'Part of a name or an email.' })
  @ApiOkResponse({ type: MosbotUserList })
  list(@Query() query: unknown): Promise<MosbotUserList> {
    return listUsers(this.users, readRange(query, LARGEST_PAGE, USUAL_PAGE));
  }
}

@ApiTags('MosBot OS')
@Roles('admin')
@Controller('api/v1/admin/users')
export class MosbotAdminController {
  constructor(
    private readonly users: UsersService,
    private readonly administration: UserAdministration,
    private readonly settings: Settings,
  ) {}

  /** Everybody, newest first, for owners and admins. */
  @Get()
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: LARGEST_ADMIN_LIST, default: LARGEST_ADMIN_LIST } })
  @ApiQuery({ name: 'offset', required: false, schema: { type: 'integer', minimum: 0, default: 0 } })
  @ApiQuery({ name: 'search', required: false, description: 'Part of a name or an email.' })
  @ApiOkResponse({ type: MosbotUserList })
  list(@Query() query: unknown): Promise<MosbotUserList> {
    return listUsers(this.users, readRange(query, LARGEST_ADMIN_LIST, LARGEST_ADMIN_LIST));
  }

  /** Creates an account. Only an owner may create an owner. */
  @Post()
  @ApiBody({ type: MosbotCreateUserBody })
  @ApiCreatedResponse({ type: MosbotUserBody })
  @ApiConflictResponse({ type: MosbotErrorBody, description: 'The email is in use: `email_taken`' })
  async create(
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
  ): Promise<MosbotUserBody> {
    const { role = 'member', password = null, ...account } = readNewAccount(body);
    const request = { ...account, role, password, username: null };
    return { data: mosbotUser(await this.administration.create({ principal, client }, request, passwordMinLength(this.settings))) };
  }

  /** One account. */
  @Get(':id')
  @ApiOkResponse({ type: MosbotUserBody })
  @ApiNotFoundResponse({ type: MosbotErrorBody })
  async get(@Param('id', UuidParam) id: string): Promise<MosbotUserBody> {
    return { data: mosbotUser(await this.users.get(id)) };
  }

  /** Changes an account. The last owner cannot be deactivated or demoted. */
  @Put(':id')
  @ApiBody({ type: MosbotUpdateUserBody })
  @ApiOkResponse({ type: MosbotUserBody })
  @ApiNotFoundResponse({ type: MosbotErrorBody })
  @ApiConflictResponse({ type: MosbotErrorBody, description: 'The email is in use, or it is the last owner: `email_taken`' })
  async update(
    @Param('id', UuidParam) id: string,
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
  ): Promise<MosbotUserBody> {
    const change = readAccountChange(body);
    return { data: mosbotUser(await this.administration.update({ principal, client }, id, change, passwordMinLength(this.settings))) };
  }

  /** Deletes an account with its sessions and API keys. */
  @Delete(':id')
  @HttpCode(204)
  @ApiNoContentResponse()
  @ApiNotFoundResponse({ type: MosbotErrorBody })
  @ApiConflictResponse({ type: MosbotErrorBody, description: 'The last owner must stay: `last_owner`' })
  async remove(
    @Param('id', UuidParam) id: string,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
  ): Promise<void> {
    await this.administration.remove({ principal, client }, id);
  }
}

async function listUsers(service: UsersService, { search, offset, limit }: Range): Promise<MosbotUserList> {
  const { users, total } = await service.findRange(search, offset, limit);
  return { data: users.map(mosbotUser), pagination: { total, limit, offset } };
}
