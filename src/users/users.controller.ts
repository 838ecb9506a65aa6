import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiConflictResponse, ApiCreatedResponse, ApiNoContentResponse, ApiNotFoundResponse, ApiOkResponse, ApiTags,
} from '@nestjs/swagger';
import { CurrentPrincipal, type Principal, RequireScopes } from '../access/index.js';
import { type Client, CurrentClient, ProblemDetails, UuidParam } from '../http/index.js';
import { UserAdministration } from './user-administration.js';
import { CreateUserBody, SetPasswordBody, UpdateUserBody, userBody, UserBody, UserPage, UsersQuery } from './users.dto.js';
import { UsersService } from './users.service.js';

@ApiTags('Users')
@Controller('users')
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly administration: UserAdministration,
  ) {}

  /** Users, newest first. */
  @Get()
  @RequireScopes('users:read')
  @ApiOkResponse({ type: UserPage })
  async list(@Query() query: UsersQuery): Promise<UserPage> {
    const page = await this.users.find(query.search, query);
    return { items: page.items.map(userBody), nextCursor: page.nextCursor };
  }

  /** Creates an account. Only an owner may create an owner. */
  @Post()
  @RequireScopes('users:write')
  @ApiCreatedResponse({ type: UserBody })
  @ApiConflictResponse({ type: ProblemDetails, description: '`email_taken` or `username_taken`' })
  async create(
    @Body() body: CreateUserBody,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
  ): Promise<UserBody> {
    const { email = null, username = null, name = null, role = 'member', password } = body;
    const user = await this.administration.create({ principal, client }, { email, username, name, role, password });
    return userBody({ user, lockedUntil: null });
  }

  /** One account. */
  @Get(':id')
  @RequireScopes('users:read')
  @ApiOkResponse({ type: UserBody })
  @ApiNotFoundResponse({ type: ProblemDetails })
  async get(@Param('id', UuidParam) id: string): Promise<UserBody> {
    return userBody(await this.users.getView(id));
  }

  /** Changes, disables or enables an account. The last owner cannot be disabled or demoted. */
  @Patch(':id')
  @RequireScopes('users:write')
  @ApiOkResponse({ type: UserBody })
  @ApiNotFoundResponse({ type: ProblemDetails })
  @ApiConflictResponse({ type: ProblemDetails, description: '`email_taken`, `username_taken` or `last_owner`' })
  async update(
    @Param('id', UuidParam) id: string,
    @Body() body: UpdateUserBody,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
  ): Promise<UserBody> {
    await this.administration.update({ principal, client }, id, { ...body });
    return userBody(await this.users.getView(id));
  }

  /** Deletes an account with its sessions and API keys. The last owner cannot be deleted. */
  @Delete(':id')
  @HttpCode(204)
  @RequireScopes('users:write')
  @ApiNoContentResponse()
  @ApiNotFoundResponse({ type: ProblemDetails })
  @ApiConflictResponse({ type: ProblemDetails, description: '`last_owner`' })
  async remove(
    @Param('id', UuidParam) id: string,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
  ): Promise<void> {
    await this.administration.remove({ principal, client }, id);
  }

  /** Opens an account that too many wrong passwords have locked. */
  @Post(':id/unlock')
  @HttpCode(204)
  @RequireScopes('users:write')
  @ApiNoContentResponse()
  @ApiNotFoundResponse({ type: ProblemDetails })
  async unlock(
    @Param('id', UuidParam) id: string,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
  ): Promise<void> {
    await this.administration.unlock({ principal, client }, id);
  }

  /** Signs the user out everywhere. */
  @Delete(':id/sessions')
  @HttpCode(204)
  @RequireScopes('users:write')
  @ApiNoContentResponse()
  @ApiNotFoundResponse({ type: ProblemDetails })
  async signOut(
    @Param('id', UuidParam) id: string,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
  ): Promise<void> {
    await this.administration.signOut({ principal, client }, id);
  }

  /** Sets a new password and ends the user's sessions. */
  @Post(':id/password')
  @HttpCode(204)
  @RequireScopes('users:write')
  @ApiNoContentResponse()
  @ApiNotFoundResponse({ type: ProblemDetails })
  async setPassword(
    @Param('id', UuidParam) id: string,
    @Body() body: SetPasswordBody,
    @CurrentPrincipal() principal: Principal,
    @CurrentClient() client: Client,
  ): Promise<void> {
    await this.administration.setPassword({ principal, client }, id, body.password);
  }
}
