from chat.consumers.club import ClubSocket, say_goodbye

__all__ = ["ClubSocket", "say_goodbye"]
